"""Runs the real `kustomize build`, the way Argo CD does: with its default load restrictor and no plugins."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

from generators.tools.binaries import ToolFailed, how_to_get, require

MAJOR = 5


def build(directory: Path) -> str:
    """The objects of the kustomization in `directory` as YAML text, documents parted by `---`.

    Raises ToolMissing, or ToolFailed when kustomize is of another major version or refuses the kustomization.
    """
    program = require("kustomize")
    _check_version(program)
    return _run(program, "build", str(directory))


@cache
def _check_version(program: Path) -> None:
    said = _run(program, "version").strip()
    found = re.search(r"\bv(\d+)\.\d+\.\d+", said)
    if not found or int(found[1]) != MAJOR:
        raise ToolFailed(
            f"{program} is version {said or '(unknown)'}, but kustomize {MAJOR} is needed\n"
            f"hint: {how_to_get('kustomize')}"
        )


def _run(program: Path, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 (no shell; the arguments are ours)
        [str(program), *arguments], capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    if done.returncode != 0:
        raise ToolFailed(f"kustomize {' '.join(arguments)}: {done.stderr.strip().removeprefix('Error: ')}")
    return done.stdout
