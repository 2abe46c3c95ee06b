"""A thousand clusters: rendering by copying its output, checking by rendering, and how cost grows."""

from __future__ import annotations

import os
import resource
import shutil
import statistics
from pathlib import Path

from generators.source.workspace import Workspace
from tests import fleets
from tests.bench.measure import FLEET, Row, seconds

SIZES = (10, 100, 1000)
RUNS = 3
MEMORY_MIB = 1024


def rows(folder: Path) -> list[Row]:
    """Ratios for 1,000 clusters, and the cost of one cluster at 1,000 by its cost at 10."""
    cost: dict[int, float] = {}
    for size in SIZES:
        target = fleets.workspace(folder / f"fleet-{size}")
        fleets.many(target, size)
        cost[size] = statistics.median(_render_afresh(target) for _ in range(RUNS if size == SIZES[-1] else 5))
    empty = _start(folder)
    found = _thousand(folder, target, cost[SIZES[-1]])
    for size in SIZES[1:]:
        grown = (cost[size] - empty) / size / ((cost[SIZES[0]] - empty) / SIZES[0])
        found.append(
            Row(f"a cluster among {size} / among {SIZES[0]}, start-up taken off", grown, 1.5, _each(cost[size], size))
        )
    return found


def _each(total: float, size: int) -> str:
    return f"{total:.2f} s in all, {total / size * 1000:.1f} ms each"


def _start(folder: Path) -> float:
    """A render of no cluster at all."""
    target = fleets.workspace(folder / "fleet-0")
    return statistics.median(seconds([FLEET, "render"], target.root) for _ in range(5))


def _render_afresh(target: Workspace) -> float:
    for generated in target.clusters.glob("*/generated"):
        shutil.rmtree(generated)
    return seconds([FLEET, "render", "--all"], target.root)


def _copy(target: Workspace, folder: Path) -> float:
    """`cp -r` of the generated folders, and of nothing else."""
    source, copy = folder / "output", folder / "copy"
    for path in (source, copy):
        shutil.rmtree(path, ignore_errors=True)
    for generated in target.clusters.glob("*/generated"):
        shutil.copytree(generated, source / generated.parent.name)
    return seconds(["cp", "-r", str(source), str(copy)])


def _thousand(folder: Path, target: Workspace, fresh: float) -> list[Row]:
    copy = statistics.median(_copy(target, folder) for _ in range(RUNS))
    before = _stamps(target)
    again = statistics.median(seconds([FLEET, "render", "--all"], target.root) for _ in range(RUNS))
    check = statistics.median(seconds([FLEET, "render", "--all", "--check"], target.root) for _ in range(RUNS))
    rewritten = sum(1 for path, stamp in _stamps(target).items() if before.get(path) != stamp)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    files, cores = len(before), len(os.sched_getaffinity(0))
    return [
        Row(
            "render --all of 1,000 clusters / cp -r of its output",
            fresh / copy,
            8,
            f"{fresh:.2f} s by {copy:.2f} s, {files} files, {cores} cores",
        ),
        Row("render --check without changes / first render", check / fresh, 1, f"{check:.2f} s by {fresh:.2f} s"),
        Row("render without changes / first render", again / fresh, 1, f"{again:.2f} s; {rewritten} files rewritten"),
        Row(
            "files rewritten by a render without changes, of all", rewritten / files, 0.0001, f"{rewritten} of {files}"
        ),
        Row("largest process in MiB / 1024", memory / MEMORY_MIB, 1, f"{memory:.0f} MiB"),
    ]


def _stamps(target: Workspace) -> dict[str, tuple[int, int]]:
    paths = (path for path in target.clusters.glob("*/generated/**/*") if path.is_file())
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in paths}
