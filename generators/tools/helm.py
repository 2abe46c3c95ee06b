"""Runs the real helm: `helm template` on a chart of this repository, as Argo CD does, and `helm pull`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from generators.tools import program
from generators.tools.binaries import ToolFailed, require

MAJORS = (3, 4)
"""Argo CD renders with helm 3 up to 3.4, and with helm 4 from 3.5 on."""


def template(chart: Path, release: str, *, namespace: str, kubernetes: str, values: Sequence[Path]) -> str:
    """The chart's objects as YAML text, documents parted by `---`. `values` come lowest precedence first.

    `kubernetes` is the minor that the chart is to believe in. Raises ToolMissing, or ToolFailed when helm is of
    another major version, or refuses chart or values.
    """
    helm = require("helm")
    program.check_major(helm, "helm", MAJORS)
    return program.run(
        helm,
        "template",
        release,
        str(chart),
        f"--namespace={namespace}",
        f"--kube-version={kubernetes}.0",
        "--include-crds",
        *(f"--values={path}" for path in values),
        # A person's own plugins and settings have no say here.
        without="HELM_",
    )


def pull(repository: str, chart: str, version: str, into: Path) -> Path:
    """Fetches the archive of a chart into a folder; its path. `repository` is a URL, or an OCI path without oci://.

    A person's own helm settings hold: logins and proxies. Raises ToolMissing or ToolFailed.
    """
    helm = require("helm")
    program.check_major(helm, "helm", MAJORS)
    url = repository.startswith(("http://", "https://"))
    where = [chart, f"--repo={repository}"] if url else [f"oci://{repository}/{chart}"]
    program.run(helm, "pull", *where, f"--version={version}", f"--destination={into}")
    found = sorted(into.glob("*.tgz"))
    if len(found) != 1:
        raise ToolFailed(f"helm pull left {len(found)} archives, not one")
    return found[0]
