"""Work ahead of who consumes it: in order, not far ahead, and gone when nobody wants it any more."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import count

import pytest
from inference_worker.ahead import Ahead


def alive() -> set[threading.Thread]:
    return {each for each in threading.enumerate() if each.daemon}


def gone(before: set[threading.Thread]) -> bool:
    """Whether all threads since then have ended; they may take some seconds."""
    for _ in range(100):
        if not alive() - before:
            return True
        time.sleep(0.1)
    return False


def test_a_chain_gives_everything_in_order() -> None:
    assert list(Ahead((each * 2 for each in Ahead(range(100), 3)), 2)) == list(range(0, 200, 2))


def test_no_more_is_made_than_may_wait() -> None:
    made = []

    def items() -> Iterator[int]:
        for each in range(50):
            made.append(each)
            yield each

    chain = Ahead(items(), 3)
    assert next(iter(chain)) == 0
    time.sleep(0.5)
    assert len(made) <= 1 + 3 + 1, "one is taken, three wait, and one is in the hand of who makes them"
    chain.close()


def test_a_fault_passes_through_a_chain() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("no disk")

    with pytest.raises(OSError, match="no disk"):
        list(Ahead((each for each in Ahead(items(), 3)), 2))


def test_a_chain_that_is_closed_leaves_no_thread_behind() -> None:
    before = alive()
    first = Ahead(count(), 3)
    second = Ahead((each for each in first), 2)
    assert next(iter(second)) == 0
    second.close()
    first.close()
    assert gone(before)


def test_who_waits_for_what_never_comes_is_let_go() -> None:
    before, never = alive(), threading.Event()

    def items() -> Iterator[int]:
        never.wait()
        yield 1

    first = Ahead(items(), 3)
    second = Ahead((each for each in first), 2)
    second.close()
    first.close()
    time.sleep(0.5)
    assert len(alive() - before) == 1, "only who makes the first item is still at it"
    never.set()
    assert gone(before)
