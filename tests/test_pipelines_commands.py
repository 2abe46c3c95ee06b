"""`fleet pipelines`, as a person calls it; the server is a stand-in: see tests/kfp_api.py."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from generators.kubeflow import project, submit
from generators.source.workspace import Workspace
from tests import fleets
from tests.fleets import ROOT
from tests.kfp_api import Installation, serving

Fleet = Callable[..., Result]


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEET_ROOT", str(ROOT))
    monkeypatch.setattr(submit, "POLL_SECONDS", 0)


def test_list_and_show(fleet: Fleet) -> None:
    assert "movies  Movies in S3" in fleet("pipelines", "list").stdout
    listed = json.loads(fleet("pipelines", "list", "-o", "json").stdout)
    assert [each["name"] for each in listed] == ["movies", "sample"]
    shown = fleet("pipelines", "show", "movies").stdout
    assert "parallelism        whole number   8  " in shown
    assert "the cluster's own" in shown
    text = fleet("pipelines", "show", "movies", "--cluster", "dev-tokyo").stdout
    assert "111122223333.dkr.ecr.ap-northeast-1.amazonaws.com/dev-tokyo/inference-worker:0.1.0-cuda" in text


def test_run_starts_and_says_where(fleet: Fleet) -> None:
    held = Installation()
    with serving(held) as url:
        done = fleet(
            "pipelines", "run", "movies", "-c", "prod-tokyo", "--url", url, "-p", "parallelism=3",
            "--experiment", "ada", "--name", "first", "-o", "json",
        )  # fmt: skip
    assert done.exit_code == 0
    facts = json.loads(done.stdout)
    assert facts["run_id"] == "run-0"
    assert (facts["run"], facts["experiment"], facts["state"]) == ("first", "ada", "PENDING")
    assert held.runs[0]["runtime_config"] == {"parameters": {"parallelism": 3}}
    assert facts["url"] in done.stderr


@pytest.mark.parametrize(("state", "code"), [("SUCCEEDED", 0), ("FAILED", 1), ("CANCELED", 1)])
def test_wait_ends_as_the_run_does(fleet: Fleet, state: str, code: int) -> None:
    held = Installation(script=[{"state": "RUNNING"}, {"state": state}])
    with serving(held) as url:
        done = fleet("pipelines", "run", "sample", "-c", "prod-tokyo", "--url", url, "--experiment", "ada", "--wait")
    assert done.exit_code == code
    assert f"run: {state.lower()}" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("movies", "-c", "prod-tokyo", "-p", "parallelism=many"), "parallelism: `many` is not a whole number"),
        (("movie", "-c", "prod-tokyo"), "did you mean `movies`?"),
        (("movies", "-c", "prod-tokio"), "did you mean `prod-tokyo`?"),
        (("movies", "-c", "dev-tokyo", "-p", "gpu=true"), "has no node group with `gpu: {mode: job}`"),
        (("movies", "-c", "prod-tokyo", "-p", "prefix=private/"), "prefix: `private/` is not below models/ or movies/"),
        (("movies", "-c", "prod-tokyo", "-p", "output=movies/"), "output: `movies/` is not below results/pipelines/"),
        (("movies", "--here"), "bucket: needs a value"),
        (("movies",), "say which cluster"),
    ],
)
def test_a_wrong_call_changes_nothing(fleet: Fleet, arguments: tuple[str, ...], words: str) -> None:
    held = Installation()
    with serving(held) as url:
        done = fleet("pipelines", "run", *arguments, "--url", url)
    assert done.exit_code == 2
    assert words in done.stderr
    assert held.calls == []


def test_a_session_is_asked_for_and_its_cookie_never_shown(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEET_PIPELINES_COOKIE", "AWSELBAuthSessionCookie-0=s3cr3t")
    held = Installation()
    with serving(held) as url:
        good = fleet("pipelines", "run", "sample", "-c", "prod-tokyo", "--url", url, "--experiment", "ada")
        bad = fleet("pipelines", "run", "sample", "-c", "prod-tokyo", "--url", f"{url}/elsewhere")
    assert good.exit_code == 0
    assert set(held.cookies) == {"AWSELBAuthSessionCookie-0=s3cr3t"}
    assert bad.exit_code == 2
    assert "s3cr3t" not in good.output + bad.output


def test_a_cluster_without_the_app_is_refused(fleet: Fleet, workspace: Workspace) -> None:
    without = fleets.text().replace("  kubeflow-pipelines: {}\n", "")
    fleets.add(workspace, "prod-tokyo", without)
    done = fleet("pipelines", "run", "sample", "-c", "prod-tokyo", "--url", "http://127.0.0.1:1")
    assert done.exit_code == 2
    assert "does not run Kubeflow Pipelines" in done.stderr


PYTHON = """
import pathlib, sys
(pathlib.Path(__file__).parent / "asked").write_text(repr(sys.argv[1:]))
print("--- a/movies.yaml")
sys.exit(EXIT)
"""


def stand_in(workspace: Workspace, code: int) -> Path:
    """In place of the pipelines' own Python, which has kfp: tells what it was asked, and ends as told."""
    python = workspace.root / project.PYTHON
    python.parent.mkdir(parents=True, exist_ok=True)
    python.write_text(f"#!{sys.executable}\n{PYTHON.replace('EXIT', str(code))}")
    python.chmod(0o755)
    return python.parent / "asked"


@pytest.mark.parametrize(("code", "ends"), [(0, 0), (1, 1), (3, 2)])
def test_compile_check_ends_as_the_contract_says(fleet: Fleet, workspace: Workspace, code: int, ends: int) -> None:
    asked = stand_in(workspace, code)
    done = fleet("pipelines", "compile", "--check")
    assert done.exit_code == ends
    assert asked.read_text() == "['-m', 'movie_pipelines.compile', '--check']"
    if code == 1:
        assert "--- a/movies.yaml" in done.stdout
        assert "mend them with: fleet pipelines compile" in done.stderr


def test_without_its_own_python_it_says_how_to_get_it(fleet: Fleet, workspace: Workspace) -> None:
    assert not (workspace.root / project.PYTHON).exists()
    done = fleet("pipelines", "compile")
    assert done.exit_code == 2
    assert "hint: `make pipelines` sets it up" in done.stderr


def test_here_passes_typed_values_on(fleet: Fleet, workspace: Workspace) -> None:
    asked = stand_in(workspace, 1)
    done = fleet("pipelines", "run", "movies", "--here", "-p", "bucket=mine", "-p", "parallelism=2")
    assert done.exit_code == 1
    arguments = '["bucket": "mine", "parallelism": 2]'.replace("[", "{").replace("]", "}")
    assert asked.read_text() == repr(["-m", "movie_pipelines.here", "movies", arguments])


def test_listing_needs_no_client() -> None:
    code = "import generators.cli.main, sys; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not [name for name in loaded if name.startswith(("generators.kubeflow", "urllib.request"))]
