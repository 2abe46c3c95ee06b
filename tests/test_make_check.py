"""`make check` as a person meets it: the real Makefile, with `fleet` in the place of which a script notes calls."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.fleets import ROOT

STEPS = ["render --check", "schema --check", "pipelines compile --check", "validate", "secrets"]
"""What it asks of `fleet`."""


def check(folder: Path, failing: str = "", code: int = 0) -> tuple[int, list[str]]:
    """Exit status of make, and the calls, of which the one that begins with `failing` ends with `code`."""
    fleet = folder / "fleet"
    fleet.write_text(f'#!/bin/sh\necho "$@" >> {folder}/calls\n[ "$1" != "{failing}" ] || exit {code}\n')
    fleet.chmod(0o755)
    ready = ("-o", ".venv/.dev", "-o", ".venv-pipelines/.ready")
    done = subprocess.run(
        ["make", "-s", "check", f"FLEET={fleet}", "CI=", *ready], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.returncode, (folder / "calls").read_text().splitlines()


def test_every_step_runs_where_all_is_well(tmp_path: Path) -> None:
    assert check(tmp_path) == (0, STEPS)


@pytest.mark.parametrize("failing", [step.split()[0] for step in STEPS])
def test_what_one_step_finds_keeps_no_other_from_its_own(tmp_path: Path, failing: str) -> None:
    status, calls = check(tmp_path, failing, 1)
    assert status != 0
    assert calls == STEPS


def test_sources_that_cannot_be_read_are_told_once(tmp_path: Path) -> None:
    status, calls = check(tmp_path, "render", 2)
    assert status != 0
    assert calls == STEPS[:1]
