from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from generators.cli.main import app
from generators.source.workspace import Workspace
from tests import fleets


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
