from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from generators.cli.main import app
from generators.source.workspace import Workspace
from tests import fleets

if TYPE_CHECKING:
    from tests.control_plane import ControlPlane

# Their assertions tell what differs, as those of tests do.
pytest.register_assert_rewrite("tests.aws.growth", "tests.aws.life", "tests.aws.readback", "tests.aws.trust")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="rewrite the expected files of the golden tests")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """An empty checkout of its own, which commands run in."""
    found = fleets.workspace(tmp_path / "checkout")
    monkeypatch.setenv("FLEET_ROOT", str(found.root))
    return found


@pytest.fixture
def fleet() -> Callable[..., Result]:
    """Runs the command line in this process: `fleet("render", "demo")`."""
    return lambda *arguments: CliRunner().invoke(app, list(arguments), prog_name="fleet")


@pytest.fixture
def api_server() -> Iterator[ControlPlane]:
    """A real API server with nothing in it."""
    from tests.control_plane import control_plane

    with control_plane() as running:
        yield running
