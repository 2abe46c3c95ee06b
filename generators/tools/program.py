"""Runs a program and tells of its failure in its own words."""

from __future__ import annotations

import os
import re
import subprocess
from functools import cache
from pathlib import Path

from generators.tools.binaries import ToolFailed, how_to_get


def run(program: Path, *arguments: str, without: str = "") -> str:
    """What the program prints. It gets no variable whose name begins with `without`. Raises ToolFailed."""
    done = subprocess.run(  # noqa: S603 (no shell; the arguments are ours)
        [str(program), *arguments],
        env={key: value for key, value in os.environ.items() if not (without and key.startswith(without))},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.strip().removeprefix("Error: ")
        raise ToolFailed(f"{program.name} {' '.join(arguments)}: {said}")
    return done.stdout


@cache
def check_major(program: Path, name: str, majors: tuple[int, ...]) -> None:
    """Raises ToolFailed where `name version` says another major version than these."""
    said = run(program, "version").strip()
    found = re.search(r"\bv(\d+)\.\d+", said)
    if not found or int(found[1]) not in majors:
        wanted = " or ".join(map(str, majors))
        raise ToolFailed(
            f"{program} is version {said or '(unknown)'}, but {name} {wanted} is needed\nhint: {how_to_get(name)}"
        )
