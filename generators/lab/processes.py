"""Programs that run side by side, each with a log, and that end with the one who started them, however it ends."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

STOP_SECONDS = 10.0
PARENT_DEATH_SIGNAL = 1
"""`PR_SET_PDEATHSIG` of prctl(2)."""
LAST_LINES = 12
_FAILURE = re.compile(
    r"^(?:[EF]\d{4} |panic:|Error|error:)|level=(?:fatal|error)|\"level\":\"(?:fatal|error)\"", re.MULTILINE
)


class LabFailed(Exception):
    """The lab could not be brought up or did not do what was waited for. The text is for people."""


@dataclass
class Processes:
    """What was started, in order. `folder` takes the logs."""

    folder: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, command: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """Starts a program as `name`, its output into `<name>.log`; it dies with this process."""
        with self.log(name).open("ab") as out:
            self.running[name] = subprocess.Popen(  # noqa: S603 (no shell; the words are ours)
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env={**os.environ, **(env or {})},
                # A Ctrl-C is for who started the lab: its programs are then ended in order.
                start_new_session=True,
                preexec_fn=die_with_parent,
            )

    def log(self, name: str) -> Path:
        """Where a program's output goes."""
        return self.folder / f"{name}.log"

    def kill(self, name: str) -> None:
        """As a machine that lost its power: nothing is said to the program."""
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def until(self, what: str, ready: Callable[[], str], seconds: float, pause: float = 0.1) -> None:
        """Waits until `ready` has nothing to say against it. Raises LabFailed after `seconds`, or if one ended."""
        end = time.monotonic() + seconds
        while reason := ready():
            self.check()
            if time.monotonic() > end:
                raise LabFailed(f"{what}: not within {seconds:.0f} s: {reason}")
            time.sleep(pause)

    def check(self) -> None:
        """Raises LabFailed where a program has ended by itself, with the first failure in its log."""
        for name, process in self.running.items():
            if process.poll() is not None:
                raise LabFailed(f"{name} ended with code {process.returncode}: {first_failure(self.log(name))}")

    def stop(self) -> None:
        """Ends all, the last one first; who does not listen is killed."""
        for process in reversed(self.running.values()):
            process.send_signal(signal.SIGTERM)
        end = time.monotonic() + STOP_SECONDS
        for process in reversed(self.running.values()):
            try:
                process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running.clear()


def first_failure(log: Path) -> str:
    """The first line of a log that tells of a failure, or its last lines; and where the log is."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
    found = _FAILURE.search(text)
    if found:
        start = text.rfind("\n", 0, found.start()) + 1
        shown = text[start:].splitlines()[0]
    else:
        shown = "\n".join(text.splitlines()[-LAST_LINES:]) or "it said nothing"
    return f"{shown}\nits log: {log}"


def die_with_parent(number: int = signal.SIGKILL) -> None:
    """From now on Linux sends this process a signal when its parent is gone, even by SIGKILL; 0 takes that back."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, number)
