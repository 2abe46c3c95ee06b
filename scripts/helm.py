"""Helm, for the one release that Argo CD cannot install itself."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from generators.errors import wrong
from generators.tools.kubectl import Kubectl
from scripts.argocd_release import Release
from scripts.kube import program_for

CUT_OFF = "status in (pending-install,pending-upgrade,pending-rollback)"


@dataclass(frozen=True)
class Helm:
    """Helm on one cluster. `chart` is a local copy of the chart, or None for that of its repository."""

    program: Path
    kubectl: Kubectl
    chart: Path | None

    @classmethod
    def on(cls, kubectl: Kubectl, chart: Path | None) -> Helm:
        """Raises FleetError where Helm is missing."""
        return cls(program_for("helm"), kubectl, chart)

    def take_up(self, release: Release) -> bool:
        """Whether an install had been cut off. Helm refuses to go on from one: its record goes, its objects stay."""
        which = ("secrets", "-n", release.namespace, "-l", f"owner=helm,name={release.name},{CUT_OFF}")
        found = self.kubectl("get", *which, "-o", "name")
        if found:
            self.kubectl("delete", *which)
        return bool(found)

    def install(self, release: Release, seconds: int, *, dry_run: bool) -> None:
        """Installs or upgrades, and waits until it all runs. Raises FleetError with Helm's own words."""
        values = [f"--values={path}" for path in release.values]
        how = ["--dry-run=server"] if dry_run else ["--wait", f"--timeout={seconds}s"]
        command = [
            "upgrade",
            "--install",
            release.name,
            *release.source(self.chart),
            f"--namespace={release.namespace}",
        ]
        done = subprocess.run(
            [str(self.program), *command, *values, *how, f"--kubeconfig={self.kubectl.kubeconfig}"],
            # A shell's own choice of cluster has no say here.
            env={key: value for key, value in os.environ.items() if not key.startswith("HELM_KUBE")},
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if done.returncode:
            said = done.stderr.strip().removeprefix("Error: ")
            hint = "" if self.chart else "where the chart's repository cannot be reached: --chart=PATH of a local copy"
            raise wrong(f"helm {' '.join(command[:3])}", said or f"exit code {done.returncode}", hint=hint)
