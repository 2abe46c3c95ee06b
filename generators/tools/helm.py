"""Runs the real `helm template` on a chart of this repository, as Argo CD does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from generators.tools import program
from generators.tools.binaries import require

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
