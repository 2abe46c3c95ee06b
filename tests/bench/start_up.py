"""Cold starts by the imports that they cannot do without."""

from __future__ import annotations

import compileall
from pathlib import Path

from tests import fleets
from tests.bench.measure import FLEET, PYTHON, Row, ratio


def rows(folder: Path) -> list[Row]:
    """`fleet --help` by `import typer`; `fleet render NAME` by the imports of its libraries."""
    # The peers' byte code was written when they were installed; ours may not have been.
    compileall.compile_dir(fleets.ROOT / "generators", quiet=1)
    small = fleets.workspace(folder / "start-up")
    (name,) = fleets.many(small, 1)
    typer = [PYTHON, "-c", "import typer"]
    libraries = [PYTHON, "-c", "import typer, pydantic, ruamel.yaml"]
    found = []
    for what, ours, peer, limit in (
        ("fleet --help / import typer", [FLEET, "--help"], typer, 1.3),
        ("fleet render NAME / import typer, pydantic, ruamel.yaml", [FLEET, "render", name], libraries, 2.0),
    ):
        value, detail = ratio(ours, peer, small.root)
        found.append(Row(what, value, limit, detail))
    return found
