"""A lab for each committed cluster, synced."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from generators.lab.lab import Lab, Size, lab, wait_synced
from generators.source.workspace import Workspace
from tests.e2e.programs import PROGRAMS, SYNCED_WITHIN, keep_logs
from tests.fleets import ROOT
from tests.tool_needed import needed

SIZE = Size(nodes=150, job_seconds=0.5)
"""So many that batches end within a minute."""


@pytest.fixture(scope="package", params=Workspace(ROOT).names())
def synced(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """The lab of a committed cluster, everything in it synced. Its tests leave it as they found it."""
    for program in PROGRAMS:
        needed(program)
    with tempfile.TemporaryDirectory(prefix="fleet-e2e-") as folder:
        try:
            with lab(Workspace(ROOT), request.param, Path(folder), size=SIZE) as made:
                wait_synced(made, SYNCED_WITHIN)
                yield made
        finally:
            keep_logs(Path(folder), request.param)
