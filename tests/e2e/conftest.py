"""A lab for each committed cluster, synced: one at a time, since each wants both cores."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from generators.lab.lab import Lab, Size, lab, wait_synced
from generators.source.workspace import Workspace
from tests.e2e import figures
from tests.e2e.programs import PROGRAMS, SYNCED_WITHIN, keep_logs
from tests.fleets import ROOT
from tests.tool_needed import needed

SIZES = {"prod-tokyo": Size(nodes=300, job_seconds=0.5)}
"""The cluster of some hundred nodes; batches end within a minute. Its tests of faults come after those of its state."""
SIZE = Size(nodes=60, job_seconds=0.5)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Cluster by cluster, and what breaks one last: pytest's own order would start a lab twice."""
    items.sort(key=lambda item: (_cluster(item), "faults" in item.path.parts))


def _cluster(item: pytest.Item) -> str:
    """Of the lab that a test is about; nothing for tests that start their own."""
    return (
        str(item.callspec.params.get("synced", ""))
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
        else ""
    )


@pytest.fixture(scope="session", params=Workspace(ROOT).names())
def synced(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> Iterator[Lab]:
    """The lab of a committed cluster, everything in it synced. Its tests leave it as they found it."""
    for program in PROGRAMS:
        needed(program)
    name, started = request.param, time.monotonic()
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def say(text: str) -> None:
        """Past pytest, which holds output back: a lab takes minutes."""
        with capture.global_and_fixture_disabled():
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()

    with tempfile.TemporaryDirectory(prefix="fleet-e2e-") as folder:
        try:
            with lab(Workspace(ROOT), name, Path(folder), size=SIZES.get(name, SIZE), say=say) as made:
                up = time.monotonic()
                wait_synced(made, SYNCED_WITHIN)
                say(figures.of_sync(made, up - started, time.monotonic() - up))
                yield made
        finally:
            keep_logs(Path(folder), name)
