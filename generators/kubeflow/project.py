"""The pipelines' own project: its Python, which has kfp, does what this package cannot."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generators.errors import wrong
from generators.kubeflow.specs import PROJECT

PYTHON = Path(".venv-pipelines", "bin", "python")


def compiled(root: Path, *, check: bool) -> tuple[str, bool]:
    """Compiles all pipelines, or says how they would change. Gives the diff, and whether anything differs."""
    done = _run(root, ["movie_pipelines.compile", *(["--check"] if check else [])], capture=True)
    if done.returncode not in {0, 1} or (done.returncode and not check):
        said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise wrong(
            str(PROJECT),
            f"cannot be compiled: {said}",
            hint=f"{PYTHON} -m movie_pipelines.compile tells more",
        )
    return done.stdout, bool(done.returncode)


def run_here(root: Path, name: str, parameters: Mapping[str, Any]) -> int:
    """Runs a pipeline on this machine, each task a process. Its talk goes through; gives its exit code."""
    return _run(root, ["movie_pipelines.here", name, json.dumps(dict(parameters))], capture=False).returncode


def _run(root: Path, arguments: list[str], *, capture: bool) -> subprocess.CompletedProcess[str]:
    python = root / PYTHON
    if not python.is_file():
        raise wrong(str(PROJECT), "has no Python of its own yet", hint="`make pipelines` sets it up")
    return subprocess.run(  # noqa: S603 (its own arguments)
        [str(python), "-m", *arguments], cwd=root, capture_output=capture, text=True, check=False
    )
