"""Does one thing to many clusters, on all cores, and hands the results back in order."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

from generators.errors import wrong
from generators.pipeline import fleet as fleets
from generators.source.workspace import Workspace

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext

Result = TypeVar("Result")
Work = Callable[[fleets.Fleet, str], Result]
FEW = 6
"""Below this, starting processes costs more than it saves."""
CHUNKS_PER_CORE = 8

_fleet: fleets.Fleet | None = None


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def each(fleet: fleets.Fleet, names: Sequence[str], work: Work[Result]) -> Iterator[Result]:
    """`work(fleet, name)` for each name, in order. `work` is a function of a module, so that processes can share it."""
    if len(names) < FEW or cores() == 1:
        yield from (work(fleet, name) for name in names)
    else:
        yield from _in_processes(fleet, names, work)


def _in_processes(fleet: fleets.Fleet, names: Sequence[str], work: Work[Result]) -> Iterator[Result]:
    from concurrent.futures import ProcessPoolExecutor  # here, because a render of one cluster can do without
    from concurrent.futures.process import BrokenProcessPool

    global _fleet
    _fleet = fleet
    chunk = max(1, len(names) // (cores() * CHUNKS_PER_CORE))
    start = partial(_start, fleet.workspace)
    with ProcessPoolExecutor(cores(), mp_context=_context(), initializer=start) as executor:
        try:
            yield from executor.map(partial(_work, work), names, chunksize=chunk)
        except BrokenProcessPool:
            hint = "was it killed, or out of memory? Every folder is whole; run it again"
            raise wrong("fleet", "a worker process died", hint=hint) from None
        finally:
            executor.shutdown(cancel_futures=True)


def _context() -> BaseContext:
    """Forked workers share what the parent has read; where there is no fork, each reads it again."""
    import multiprocessing

    methods = multiprocessing.get_all_start_methods()
    return multiprocessing.get_context("fork" if "fork" in methods else None)


def _start(workspace: Workspace) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops the work, and tells of it once
    Thread(target=_follow_parent, daemon=True).start()
    global _fleet
    if _fleet is None:
        _fleet = fleets.read(workspace)


def _follow_parent() -> None:
    """A worker that outlived its parent would hold the lock on clusters/, which it inherited, for ever."""
    import multiprocessing

    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def _work(work: Work[Result], name: str) -> Result:
    assert _fleet is not None  # noqa: S101 - set by _start
    return work(_fleet, name)
