"""Work ahead of who consumes it: download, decoding and prediction overlap, and none runs far ahead of the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Generic, TypeVar

Item = TypeVar("Item")
POLL_SECONDS = 0.1
"""How long a signal, or an end, may go unseen."""


@dataclass(frozen=True)
class _End:
    """After the last item: what the producer raised, if it did."""

    error: BaseException | None = None


class Ahead(Generic[Item]):
    """An iterator whose items a thread makes, at most `depth` of them waiting.

    What the thread raises is raised where the items are taken. While none is there, `meanwhile` is called now and then;
    what it raises ends the wait. `close` ends the thread at its next item.
    """

    def __init__(self, items: Iterable[Item], depth: int, meanwhile: Callable[[], None] = lambda: None) -> None:
        self._meanwhile = meanwhile
        self._queue: Queue[Item | _End] = Queue(depth)
        self._closed = Event()
        Thread(target=self._make, args=(items,), daemon=True).start()

    def close(self) -> None:
        """No further item is made, and nobody waits for one."""
        self._closed.set()

    def __iter__(self) -> Iterator[Item]:
        try:
            while (item := self._next()) is not None:
                yield item
        finally:
            self.close()

    def _next(self) -> Item | None:
        """The next item; None after the last, and once it is closed. Waits in short steps."""
        while True:
            try:
                item = self._queue.get(timeout=POLL_SECONDS)
            except Empty:
                if self._closed.is_set():
                    return None
                self._meanwhile()
                continue
            if not isinstance(item, _End):
                return item
            if item.error:
                raise item.error
            return None

    def _make(self, items: Iterable[Item]) -> None:
        end = _End()
        try:
            for item in items:
                if not self._put(item):
                    return
        except BaseException as error:  # noqa: BLE001 (it is raised again, on the other side)
            end = _End(error)
        self._put(end)

    def _put(self, item: Item | _End) -> bool:
        """False once nobody takes items any more."""
        while not self._closed.is_set():
            try:
                self._queue.put(item, timeout=POLL_SECONDS)
            except Full:
                continue
            return True
        return False
