"""What `fleet lab` does with a lab that belongs to another process: starts it, looks at it, ends it."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from generators.errors import wrong
from generators.lab import Charts
from generators.lab.home import Home, labs, read_json
from generators.lab.processes import die_with_parent
from generators.source.workspace import Workspace

STOP_SECONDS = 30.0
LOG = "lab.log"


@dataclass(frozen=True)
class Status:
    """A lab as it is found: `alive` where its keeper runs, `up` where that has everything started."""

    cluster: str
    folder: Path
    alive: bool
    up: bool
    pid: int
    left_out: dict[str, str]
    kubernetes: str
    """Its version, and that of the cluster file where it is another."""

    @property
    def word(self) -> str:
        """For people."""
        return "up" if self.up else "starting" if self.alive else "ended"


def home_of(cluster: str) -> Home:
    """The folder of a cluster's lab."""
    return Home(labs() / cluster)


def status(cluster: str) -> Status:
    """How the lab of a cluster is."""
    home = home_of(cluster)
    state = read_json(home.state)
    pid = state.get("pid")
    alive = isinstance(pid, int) and _is_keeper(pid, home)
    left_out = state.get("left_out")
    known = {str(name): str(why) for name, why in left_out.items()} if isinstance(left_out, dict) else {}
    version = str(state.get("kubernetes", ""))
    up = alive and state.get("up") is True
    return Status(cluster, home.folder, alive, up, pid if isinstance(pid, int) else 0, known, version)


def all_labs() -> list[Status]:
    """Every lab of this user that runs, or left a folder."""
    return [status(each.name) for each in sorted(labs().glob("*")) if each.is_dir()]


def start(workspace: Workspace, cluster: str, total_nodes: int, charts: Charts) -> Iterator[str]:
    """Starts a keeper and yields what it says until the lab is up. Raises FleetError where one is up, or this fails."""
    before = status(cluster)
    if before.alive:
        raise wrong("lab", f"the lab of {cluster} is {before.word} already", hint=f"`fleet lab down {cluster}` ends it")
    if importlib.util.find_spec("cryptography") is None:
        hint = f"`make lab NAME={cluster}` sets up what a lab needs"
        raise wrong("lab", "the package cryptography is not installed", hint=hint)
    home = home_of(cluster)
    if down(cluster):
        yield f"a lab of {cluster} was killed, or failed, and left its folder: made anew"
    home.make()
    command = [sys.executable, "-m", "generators.lab.keeper", str(workspace.root), cluster, str(home.folder)]
    with (home.logs / LOG).open("wb") as out:
        keeper = subprocess.Popen(  # noqa: S603 (no shell; the words are ours)
            [*command, str(total_nodes), charts],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            # Until it is up: nobody waits for a lab any more whose `fleet lab up` was killed.
            preexec_fn=lambda: die_with_parent(signal.SIGTERM),
        )
    try:
        yield from _told(home, keeper)
    except BaseException:
        keeper.terminate()
        raise


def _told(home: Home, keeper: subprocess.Popen[bytes]) -> Iterator[str]:
    with (home.logs / LOG).open(encoding="utf-8", errors="replace") as log:
        while True:
            ended, line = keeper.poll() is not None, log.readline()
            if line:
                yield line.rstrip("\n")
            elif ended:
                hint = f"logs of every program: {home.logs}"
                raise wrong("lab", f"did not come up (exit code {keeper.returncode})", hint=hint)
            elif read_json(home.state).get("up") is True:
                return
            else:
                time.sleep(0.1)


def down(cluster: str) -> bool:
    """Ends a lab and removes its folder; False where there was none."""
    found = status(cluster)
    if found.alive:
        os.kill(found.pid, signal.SIGTERM)
        end = time.monotonic() + STOP_SECONDS
        while _is_keeper(found.pid, Home(found.folder)):
            if time.monotonic() > end:
                with suppress(ProcessLookupError):
                    os.kill(found.pid, signal.SIGKILL)
            time.sleep(0.1)
    if not found.folder.is_dir():
        return False
    import shutil  # here, because most commands need it not

    shutil.rmtree(found.folder)
    return True


def _is_keeper(pid: int, home: Home) -> bool:
    """Whether the process is this lab's keeper still: a pid may have gone to another program.

    `-ww`: else ps cuts a long command line, and with it the folder.
    """
    told = subprocess.run(  # noqa: S603 (no shell; the words are ours)
        ["ps", "-ww", "-o", "stat=,args=", "-p", str(pid)],  # noqa: S607 (POSIX)
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    ).stdout
    return "generators.lab.keeper" in told and str(home.folder) in told and not told.startswith("Z")
