"""Runs the real `kustomize build`, the way Argo CD does: with its default load restrictor and no plugins."""

from __future__ import annotations

from pathlib import Path

from generators.tools import program
from generators.tools.binaries import require

MAJOR = 5


def build(directory: Path) -> str:
    """The objects of the kustomization in `directory` as YAML text, documents parted by `---`.

    Raises ToolMissing, or ToolFailed when kustomize is of another major version or refuses the kustomization.
    """
    kustomize = require("kustomize")
    program.check_major(kustomize, "kustomize", (MAJOR,))
    return program.run(kustomize, "build", str(directory))
