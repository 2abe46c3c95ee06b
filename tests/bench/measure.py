"""Whole processes, timed in turn, so that a change of the machine's pace meets both sides."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PYTHON = sys.executable
FLEET = str(Path(sys.executable).parent / "fleet")


@dataclass(frozen=True)
class Row:
    """One line of the table. A limit of 0 means: for information; a ratio that is no number: not measured here."""

    what: str
    ratio: float
    limit: float = 0
    detail: str = ""


def seconds(command: Sequence[str], root: Path | None = None) -> float:
    """Wall time of one run. Raises CalledProcessError where it fails."""
    environment = {**os.environ, **({"FLEET_ROOT": str(root)} if root else {})}
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return time.perf_counter() - start


def ratio(ours: Sequence[str], peer: Sequence[str], root: Path | None = None, runs: int = 11) -> tuple[float, str]:
    """Median over pairs of our time by the peer's, after one warm-up of each, and both medians in words."""
    seconds(ours, root), seconds(peer)
    pairs = [(seconds(ours, root), seconds(peer)) for _ in range(runs)]
    mine, theirs = (statistics.median(side) * 1000 for side in zip(*pairs, strict=True))
    return statistics.median(a / b for a, b in pairs), f"{mine:.0f} ms by {theirs:.0f} ms, {runs} pairs"
