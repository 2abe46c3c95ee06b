"""What must hold before Terraform is called: fresh files, and a Terraform that is new enough."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from generators.cli import console
from generators.errors import FleetError, wrong
from generators.tools import binaries

_MINIMUM = re.compile(r'^\s*required_version\s*=\s*">= (\d+)\.(\d+)', re.MULTILINE)


def refuse_stale(name: str) -> None:
    """Raises FleetError where `generated/` is not what the cluster's file says."""
    from generators.cli.render import run

    for outcome in run([name], "check"):
        if outcome.problems:
            raise FleetError(outcome.problems)
        if outcome.plan.differs:
            counts = outcome.counts()
            files = console.count(sum(counts.values()) - counts["same"], "file")
            hint = f"make render NAME={name}, and have the change reviewed"
            raise wrong(f"clusters/{name}/generated", f"is not what cluster.yaml says, in {files}", hint=hint)


def program(folder: Path) -> Path:
    """Terraform, of the version that the root in `folder` asks for. Raises FleetError."""
    found = binaries.find("terraform")
    least = _MINIMUM.search((folder / "versions.tf").read_text(encoding="utf-8"))
    wanted = (int(least[1]), int(least[2])) if least else (0, 0)
    shown = f"Terraform {wanted[0]}.{wanted[1]} or newer"
    if found is None:
        raise wrong(
            "terraform", "is not installed", hint=f"put {shown} on PATH: https://developer.hashicorp.com/terraform"
        )
    said = subprocess.run([str(found), "version", "-json"], capture_output=True, encoding="utf-8", check=False)
    try:
        version = json.loads(said.stdout)["terraform_version"]
        numbers = tuple(int(each) for each in version.split("-")[0].split(".")[:2])
    except (ValueError, KeyError):
        raise wrong(str(found), f"does not say its version: {said.stderr.strip()}", hint=f"{shown} is needed") from None
    if numbers < wanted:
        raise wrong(str(found), f"is Terraform {version}", hint=f"{shown} is needed: the state is locked in S3 itself")
    return found
