"""A Job onto the cluster, and the wait for its end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from generators.batches import look
from generators.batches.live import Gone, Live, Object, told
from generators.batches.look import OVER, Batch
from generators.errors import FleetError

POLL_SECONDS = 5.0
PATIENCE = 12
"""How many looks in a row may fail before the wait is given up; a tunnel or a sign-in may break for a minute."""
MANAGER = "fleet-jobs"
Say = Callable[[str], None]


def tried(live: Live, job: Object, say: Say) -> None:
    """Asks the API server whether it would take the Job; it keeps nothing. Raises FleetError."""
    _create(live, job, say, "--dry-run=server")


def submit(live: Live, job: Object, say: Say) -> None:
    """Makes the Job, after the API server said that it would. Raises FleetError, and nothing was made."""
    tried(live, job, say)
    _create(live, job, lambda _: None)


def _create(live: Live, job: Object, say: Say, *how: str) -> None:
    arguments = ("create", f"--field-manager={MANAGER}", *how, "--filename", "-", "--output", "name")
    done = live.kubectl.tried(*arguments, "--namespace", live.namespace, stdin=json.dumps(job))
    if done.returncode:
        raise told(done.stderr, live.cluster)
    for line in done.stderr.splitlines():
        if line.startswith("Warning: "):
            say(line.removeprefix("Warning: "))


def wait(live: Live, name: str, say: Say, sleep: Callable[[float], None] = time.sleep) -> Batch | None:
    """The Job once it is over; None where it was removed meanwhile. Says each change.

    Raises FleetError where the API server stays away.
    """
    failures, last = 0, ""
    while True:
        try:
            found = look.of(live.job(name))
            failures = 0
        except Gone:
            return None
        except FleetError:
            failures += 1
            if failures > PATIENCE:
                raise
            sleep(POLL_SECONDS)
            continue
        if (line := progress(found)) != last:
            last = line
            say(f"{name}: {line}")
        if found.state in OVER:
            return found
        sleep(POLL_SECONDS)


def progress(found: Batch) -> str:
    """One line: `running: 12 of 64 shards done, 1 failed, 20 at work`."""
    parts = [f"{found.done} of {found.total} shards done"]
    parts += [f"{found.failed} failed ({found.failed_shards})"] if found.failed else []
    parts += [f"{found.active} at work" if found.state == "running" else f"{found.active} pods"] if found.active else []
    return f"{found.state}: {', '.join(parts)}" + (f"; {found.reason}" if found.reason else "")
