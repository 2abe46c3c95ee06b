"""Ctrl-C, and a parent that is killed: no traceback, no orphan that holds the lock, every folder whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from generators.output.plan import files
from generators.source.workspace import Workspace
from tests import fleets

FLEET = str(Path(sys.executable).parent / "fleet")
CLUSTERS = 150


@pytest.fixture
def busy(workspace: Workspace) -> subprocess.Popen[str]:
    """A render of many clusters by several processes, some way in."""
    fleets.many(workspace, CLUSTERS)
    environment = {**os.environ, "FLEET_ROOT": str(workspace.root)}
    run = subprocess.Popen(
        [FLEET, "render"],
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while run.poll() is None and not list(workspace.clusters.glob("*/generated")):
        time.sleep(0.01)
    return run


def whole(workspace: Workspace) -> bool:
    counts = {len(files(path)) for path in workspace.clusters.glob("*/generated")}
    return len(counts) <= 1


def render_again(workspace: Workspace) -> int:
    environment = {**os.environ, "FLEET_ROOT": str(workspace.root)}
    return subprocess.run([FLEET, "render"], env=environment, capture_output=True, timeout=120, check=False).returncode


def test_ctrl_c_says_so_and_leaves_every_folder_whole(busy: subprocess.Popen[str], workspace: Workspace) -> None:
    os.killpg(busy.pid, signal.SIGINT)
    _, told = busy.communicate(timeout=60)
    assert busy.returncode in (0, 130)  # 0 where it was done already
    assert "Traceback" not in told
    assert whole(workspace)
    assert render_again(workspace) == 0


def test_workers_do_not_outlive_a_killed_parent(busy: subprocess.Popen[str], workspace: Workspace) -> None:
    busy.kill()
    busy.communicate(timeout=60)
    assert whole(workspace)
    assert render_again(workspace) == 0
