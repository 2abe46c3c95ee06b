"""What workers said: of each attempt that is still there, or of all that run, as they say it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread

from generators.batches import look
from generators.batches.attempts import Attempt, attempts
from generators.batches.live import Gone, Live, told
from generators.errors import FleetError

CONTAINER = "worker"
AT_ONCE = 8
"""Calls of kubectl beside each other."""
FOLLOWED = 20
"""Pods followed at a time: each is a connection to the API server."""
POLL_SECONDS = 2.0


@dataclass(frozen=True)
class Said:
    """A line of an attempt; without a line, the attempt itself, before its lines; `trouble` is why there are none."""

    attempt: Attempt
    line: str | None = None
    trouble: str = ""


@dataclass(frozen=True)
class Followed:
    """kubectl on one pod; the thread ends when it has passed on all lines."""

    process: subprocess.Popen[str]
    thread: Thread


def read(live: Live, found: list[Attempt], tail: int | None) -> Iterator[Said]:
    """Each attempt, then its lines; the last `tail` of them, or all. Raises FleetError where none could be read."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for attempt, done in zip(found, pool.map(lambda each: _lines(live, each, tail), found), strict=True):
            yield Said(attempt)
            if isinstance(done, FleetError):
                yield Said(attempt, trouble=done.problems[0].message)
            else:
                yield from (Said(attempt, line) for line in done)


def _lines(live: Live, attempt: Attempt, tail: int | None) -> list[str] | FleetError:
    if not attempt.started:
        return []
    try:
        return live(
            "logs", attempt.pod, "--container", CONTAINER, f"--tail={-1 if tail is None else tail}"
        ).splitlines()
    except FleetError as error:
        return error


def follow(live: Live, job: str, shard: int | None, tail: int | None, say: Callable[[str], None]) -> Iterator[Said]:
    """Lines of all pods that run, and of those that begin, until the Job is over. Raises FleetError."""
    lines: SimpleQueue[Said] = SimpleQueue()
    followed: dict[str, Followed] = {}
    warned = False
    try:
        while True:
            over = _over(live, job)
            waiting = [each for each in _found(live, job, shard) if each.started and each.pod not in followed]
            free = max(0, FOLLOWED - sum(each.thread.is_alive() for each in followed.values()))
            if len(waiting) > free and not warned:
                warned = True
                say(f"{FOLLOWED} pods are followed at a time; the others come as those end, or name one: --shard")
            for each in waiting[:free]:
                followed[each.pod] = _followed(live, each, tail, lines)
            if over and not waiting[free:] and not any(each.thread.is_alive() for each in followed.values()):
                yield from _ready(lines, 0)
                return
            yield from _ready(lines, POLL_SECONDS)
    finally:
        for one in followed.values():
            one.process.kill()
            one.process.wait()


def _found(live: Live, job: str, shard: int | None) -> list[Attempt]:
    try:
        return attempts(live, job, shard)
    except Gone:
        return []


def _over(live: Live, job: str) -> bool:
    try:
        return look.of(live.job(job)).state in look.OVER
    except Gone:
        return True


def _followed(live: Live, attempt: Attempt, tail: int | None, lines: SimpleQueue[Said]) -> Followed:
    """kubectl on one pod, and a thread that passes on its lines."""
    words = ("logs", attempt.pod, "--container", CONTAINER, f"--tail={-1 if tail is None else tail}", "--follow")
    process = subprocess.Popen(  # noqa: S603 (no shell; the words are ours)
        live.kubectl.command(*words, "--namespace", live.namespace),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    )
    thread = Thread(target=_passed_on, args=(process, attempt, lines, live.cluster), daemon=True)
    thread.start()
    return Followed(process, thread)


def _passed_on(process: subprocess.Popen[str], attempt: Attempt, lines: SimpleQueue[Said], cluster: str) -> None:
    for line in process.stdout or ():
        lines.put(Said(attempt, line.rstrip("\n")))
    said = process.stderr.read() if process.stderr else ""
    if process.wait() > 0:
        lines.put(Said(attempt, trouble=told(said, cluster).problems[0].message))


def _ready(lines: SimpleQueue[Said], seconds: float) -> Iterator[Said]:
    """Lines that are there, and those that come within so many seconds."""
    until = time.monotonic() + seconds
    while True:
        try:
            yield lines.get(timeout=max(0.0, until - time.monotonic()))
        except Empty:
            return
