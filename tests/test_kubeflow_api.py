"""The client of KFP's API, against a stand-in of the server: see tests/kfp_api.py for what it is made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import yaml

from generators.errors import FleetError
from generators.kubeflow import api as calls
from generators.kubeflow import specs, submit
from generators.kubeflow.api import Api
from generators.model.catalog import Inputs
from generators.pipeline import fleet
from generators.source.workspace import Workspace
from tests.fleets import ROOT
from tests.kfp_api import Installation, NoError, serving

MOVIES = specs.read(ROOT, "movies")


@pytest.fixture
def held() -> Installation:
    return Installation()


@pytest.fixture
def api(held: Installation) -> Iterator[Api]:
    with serving(held) as url:
        yield Api(url)


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    return fleet.read(Workspace(ROOT)).load("prod-tokyo")


def test_an_experiment_is_made_once_and_found_among_many(api: Api, held: Installation) -> None:
    for number in range(5):
        calls.experiment(api, f"person-{number}")
    found = [calls.experiment(api, f"person-{number}") for number in (4, 0, 4)]
    assert found == ["experiment-4", "experiment-0", "experiment-4"]
    assert len(held.experiments) == 5


def test_every_page_of_a_list_is_read(api: Api) -> None:
    for number in range(5):
        calls.experiment(api, f"person-{number}")
    found = [each["display_name"] for each in api.pages("/experiments", "experiments", {})]
    assert found == [f"person-{number}" for number in range(5)]


def test_an_archived_experiment_is_not_written_to(api: Api, held: Installation) -> None:
    calls.experiment(api, "ada")
    held.experiments[0]["storage_state"] = "ARCHIVED"
    with pytest.raises(FleetError, match="experiment ada: is archived\nhint: restore it"):
        calls.experiment(api, "ada")


def test_two_people_who_make_the_same_thing_at_once_both_get_it(api: Api, held: Installation) -> None:
    def other(path: str, act: object) -> None:
        held.hooks[path] = act  # type: ignore[assignment]

    other("POST /experiments", lambda: held.experiments.append({"display_name": "ada", "experiment_id": "theirs"}))
    assert calls.experiment(api, "ada") == "theirs"
    other("POST /pipelines", lambda: held.pipelines.append({"name": "movies", "pipeline_id": "theirs"}))
    version = {"pipeline_id": "theirs", "pipeline_version_id": "v", "name": "v1", "display_name": "v1"}
    other("POST /pipelines/upload_version", lambda: held.versions.append(version))
    assert calls.version(api, "movies", "", "v1", MOVIES.text) == ("theirs", "v")


def test_a_run_is_what_was_asked_for(api: Api, held: Installation, inputs: Inputs) -> None:
    parameters = specs.arguments(MOVIES, ["parallelism=20", "gpu=true", "prefix=movies/day 1/"])
    started = submit.submit(api, inputs, MOVIES, parameters, "ada", "")
    (run,) = held.runs
    assert run["runtime_config"] == {"parameters": {"parallelism": 20, "gpu": True, "prefix": "movies/day 1/"}}
    assert run["experiment_id"] == "experiment-0"
    assert run["display_name"] == started.run
    assert started.run.startswith("movies 20")
    assert started.url == f"https://pipelines.inference.example.com/#/runs/details/{run['run_id']}"
    uploaded = held.versions[0]["pipeline_spec"]
    assert uploaded == list(yaml.safe_load_all(specs.for_cluster(MOVIES.text, inputs.cluster)))
    assert held.pipelines[0]["description"] == MOVIES.meaning


def test_the_same_pipeline_is_uploaded_once_and_another_beside_it(api: Api, held: Installation, inputs: Inputs) -> None:
    for spec in (MOVIES, MOVIES, replace(MOVIES, text=f"# changed\n{MOVIES.text}"), MOVIES):
        submit.submit(api, inputs, spec, {}, "ada", "a run")
    assert len(held.pipelines) == 1
    assert [each["pipeline_version_id"] for each in held.versions] == ["version-0", "version-1"]
    used = [run["pipeline_version_reference"]["pipeline_version_id"] for run in held.runs]
    assert used == ["version-0", "version-0", "version-1", "version-0"]


def test_waiting_tells_each_change_once_and_ends_with_the_run(api: Api, held: Installation, inputs: Inputs) -> None:
    started = submit.submit(api, inputs, MOVIES, {}, "ada", "a run")

    def tasks(state: str) -> dict[str, object]:
        return {"task_details": [{"display_name": "plan", "task_id": "0123456789", "state": state}]}

    held.script = [
        {"state": "RUNNING", "run_details": tasks("RUNNING")},
        {"state": "RUNNING", "run_details": tasks("RUNNING")},
        {"state": "FAILED", "run_details": tasks("FAILED"), "error": {"message": "plan failed"}},
    ]
    said: list[str] = []
    slept: list[float] = []
    assert submit.wait(api, started.run_id, said.append, slept.append) == "FAILED"
    assert said == ["plan (01234567): running", "plan (01234567): failed", "run: failed: plan failed"]
    assert len(slept) == 2


def test_waiting_outlives_a_short_silence_and_not_a_long_one(held: Installation, inputs: Inputs) -> None:
    with serving(held) as url:
        started = submit.submit(Api(url), inputs, MOVIES, {}, "ada", "a run")
    slept: list[float] = []
    with pytest.raises(FleetError, match="cannot be reached"):
        submit.wait(Api(url), started.run_id, lambda _: None, slept.append)
    assert len(slept) == submit.PATIENCE


def refuse(held: Installation, path: str, status: int, body: dict[str, object]) -> None:
    def act() -> None:
        raise NoError(status, body)

    held.hooks[path] = act


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (302, {"location": "https://login.example.com/"}, "asks to sign in\nhint: sign in with a browser"),
        (401, {}, "asks to sign in"),
        (200, {"page": "<html>sign in</html>"}, "answers with a page and no data"),
        (400, {"code": 3, "message": "Invalid input error"}, "400 Invalid input error"),
        (500, {"page": "<html>oops</html>"}, "500 Internal Server Error"),
        (403, {"error_message": "not allowed", "error_details": ""}, "403 not allowed"),
    ],
)
def test_every_no_is_told_in_the_servers_words(
    api: Api, held: Installation, status: int, body: dict[str, object], words: str
) -> None:
    refuse(held, "GET /experiments", status, body)
    with pytest.raises(FleetError, match=rf"GET {api.url}/apis/v2beta1/experiments: {words}"):
        calls.experiment(Api(api.url, "AWSELBAuthSessionCookie-0=secret"), "ada")


def test_a_server_that_is_not_there(held: Installation) -> None:
    with serving(held) as url:
        pass
    with pytest.raises(FleetError, match=r"cannot be reached: .*refused"):
        calls.experiment(Api(url), "ada")


def test_the_cookie_is_sent_and_never_shown(api: Api, held: Installation) -> None:
    signed = Api(api.url, "AWSELBAuthSessionCookie-0=secret")
    calls.experiment(signed, "ada")
    assert set(held.cookies) == {"AWSELBAuthSessionCookie-0=secret"}
    assert "secret" not in repr(signed)
