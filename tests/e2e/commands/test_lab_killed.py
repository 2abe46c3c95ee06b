"""`fleet lab` leaves nothing behind, however it ends: by itself, by `down`, or by a SIGKILL of any of its processes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.programs import PROGRAMS
from tests.fleets import ROOT
from tests.tool_needed import needed

CLUSTER = "dev-tokyo"
FLEET = (sys.executable, "-c", "from generators.cli.main import main; main()")
UP_WITHIN = 240.0
"""Seconds; half a minute is usual."""
GONE_WITHIN = 30.0

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the lab's folder will be; no other lab is seen, and none outlives a test that failed."""
    for program in PROGRAMS:
        needed(program)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("FLEET_LAB_CHARTS", "none")
    # A long path and a narrow terminal: ps must not cut the command line that tells a keeper.
    monkeypatch.setenv("COLUMNS", "80")
    yield tmp_path / "inference-fleet" / "lab" / CLUSTER
    fleet("down", CLUSTER)


def fleet(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`fleet lab ARGUMENTS` from its start to its end."""
    command = [*FLEET, "lab", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=UP_WITHIN)


def status() -> dict[str, Any]:
    (found,) = json.loads(fleet("status", "-o", "json").stdout)
    return dict(found)


def running(folder: Path) -> list[str]:
    """Command lines of all processes that have to do with the folder, whoever started them."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            cwd = str((process / "cwd").readlink())
        except OSError:
            continue
        if str(folder) in f"{words} {cwd}":
            found.append(words)
    return found


def until(what: str, done: Callable[[], object], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.2)


def listening() -> set[int]:
    """TCP ports of this machine that somebody listens on."""
    tables = [Path(f"/proc/net/{each}").read_text() for each in ("tcp", "tcp6")]
    return {int(port, 16) for table in tables for port in re.findall(r":([0-9A-F]{4}) [0-9A-F]+:0000 0A", table)}


def test_up_is_killed_while_it_waits(folder: Path) -> None:
    with subprocess.Popen([*FLEET, "lab", "up", CLUSTER], cwd=ROOT, stderr=subprocess.PIPE, text=True) as up:
        assert up.stderr
        while "Kubernetes" not in up.stderr.readline():
            assert up.poll() is None
        assert any("kube-apiserver" in each for each in running(folder))
        assert status()["state"] == "starting"
        assert "is starting already" in fleet("up", CLUSTER).stderr
        up.send_signal(signal.SIGKILL)
    until("the end of every program", lambda: running(folder) == [], GONE_WITHIN)
    assert status()["state"] == "ended"


def test_keeper_is_killed_and_the_next_lab_takes_its_place(folder: Path) -> None:
    before = listening()
    assert fleet("up", CLUSTER).returncode == 0
    state = json.loads((folder / "state.json").read_text())
    assert status()["state"] == "up"
    ports = listening() - before
    assert urlsplit(state["url"]).port in ports
    os.kill(state["pid"], signal.SIGKILL)
    until("the end of every program", lambda: running(folder) == [], GONE_WITHIN)
    until("the end of every port", lambda: not ports & listening(), GONE_WITHIN)
    assert status()["state"] == "ended"
    again = fleet("up", CLUSTER)
    assert again.returncode == 0
    assert f"a lab of {CLUSTER} was killed, or failed, and left its folder: made anew" in again.stderr
    assert fleet("down", CLUSTER).returncode == 0
    assert running(folder) == []
    assert not folder.exists()


def test_the_first_failure_is_told_and_every_log_is_kept(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "tools" / "kube-scheduler"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho 'I1 all is well'\necho 'Error: no such flag'\necho more\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("FLEET_TOOLS", str(broken.parent))
    failed = fleet("up", CLUSTER)
    assert failed.returncode == 2
    log = folder / "logs" / "kube-scheduler.log"
    assert f"error: kube-scheduler ended with code 3: Error: no such flag\nits log: {log}" in failed.stderr
    assert f"logs of every program: {folder / 'logs'}" in failed.stderr
    assert {"etcd", "kube-apiserver", "kube-scheduler", "lab"} <= {each.stem for each in log.parent.iterdir()}
    assert log.read_text().startswith("I1 all is well")
    assert running(folder) == []
    assert status()["state"] == "ended"
