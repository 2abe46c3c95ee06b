"""Golden tests: `tests/golden/clusters/<case>/` in, `expected/` out; `tests/golden/errors/<case>.yaml` in, `.txt` out.

Rewrite what is expected with `make golden`, and read the diff before you commit it.
"""

from __future__ import annotations

import difflib
import shutil
from pathlib import Path

import pytest

from generators.errors import FleetError
from generators.output.plan import compare, diff
from generators.pipeline import fleet
from generators.pipeline.render import cluster_texts
from generators.source.workspace import Workspace
from tests import fleets

GOLDEN = Path(__file__).parent / "golden"
CLUSTERS = sorted(path.name for path in (GOLDEN / "clusters").iterdir())
ERRORS = sorted(path.stem for path in (GOLDEN / "errors").glob("*.yaml"))


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--golden"))


@pytest.mark.parametrize("case", CLUSTERS)
def test_a_cluster_renders_to_its_golden_folder(case: str, golden: bool, workspace: Workspace) -> None:
    source = GOLDEN / "clusters" / case
    shutil.copytree(source, workspace.clusters / case, ignore=shutil.ignore_patterns("expected"))
    texts = cluster_texts(fleet.read(workspace), case)
    plan = compare(source / "expected", texts)
    if golden:
        for path in plan.stale:
            (source / "expected" / path).unlink()
        for path in (*plan.added, *plan.changed):
            (source / "expected" / path).parent.mkdir(parents=True, exist_ok=True)
            (source / "expected" / path).write_text(texts[path], encoding="utf-8")
        return
    lines = list(diff(plan, texts, f"tests/golden/clusters/{case}/expected"))
    assert not lines, "\n".join(["rendered otherwise than expected; `make golden` accepts it:", *lines])


@pytest.mark.parametrize("case", ERRORS)
def test_an_error_is_told_in_its_golden_words(case: str, golden: bool, workspace: Workspace) -> None:
    fleets.add(workspace, case, (GOLDEN / "errors" / f"{case}.yaml").read_text(encoding="utf-8"))
    with pytest.raises(FleetError) as caught:
        fleet.read(workspace).load(case)
    told = f"{caught.value}\n"
    path = GOLDEN / "errors" / f"{case}.txt"
    if golden:
        path.write_text(told, encoding="utf-8")
        return
    expected = path.read_text(encoding="utf-8") if path.is_file() else ""
    lines = difflib.unified_diff(expected.splitlines(), told.splitlines(), str(path.name), "told", lineterm="")
    assert told == expected, "\n".join(["told otherwise than expected; `make golden` accepts it:", *lines])
