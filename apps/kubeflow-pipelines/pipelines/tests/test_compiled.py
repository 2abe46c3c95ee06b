"""What is compiled: placement by the fleet's own names, drift, and the sample, run."""

from __future__ import annotations

import importlib
import json
import re
import warnings
from pathlib import Path
from typing import Any

import pytest
import yaml
from kfp import compiler, local
from movie_pipelines import compile as compiling
from movie_pipelines.catalogue import PIPELINES
from movie_pipelines.sample import sample

from generators.model import labels


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return compiling.compiled()


def parts(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Executors of a compiled pipeline, and what kfp-kubernetes says of them."""
    spec, platform = yaml.safe_load_all(text)
    executors = spec["deploymentSpec"]["executors"]
    return executors, platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]


def test_what_is_committed_is_what_the_sources_say(texts: dict[str, str]) -> None:
    assert list(compiling.differences(texts, compiling.FOLDER)) == []
    assert texts == compiling.compiled(), "the same bytes each time"


def test_every_task_has_a_place_resources_and_an_end(texts: dict[str, str]) -> None:
    for text in texts.values():
        executors, placed = parts(text)
        assert executors.keys() == placed.keys()
        for name, executor in executors.items():
            container, place = executor["container"], placed[name]
            assert container["image"] in {labels.ANY_WORKER_IMAGE, labels.ANY_CUDA_IMAGE}
            assert "pip install" not in " ".join(container["command"])
            assert {"resourceCpuRequest", "resourceMemoryRequest"} <= container["resources"].keys()
            assert int(place["activeDeadlineSeconds"]) == 12 * 3600
            assert place["nodeSelector"]["labels"][labels.ROLE_LABEL] in {"gpu", "worker"}


def test_only_the_gpu_task_asks_for_a_gpu_and_is_let_onto_its_nodes(texts: dict[str, str]) -> None:
    executors, placed = parts(texts["movies.yaml"])
    asking = {name for name, each in executors.items() if "accelerator" in each["container"]["resources"]}
    assert asking == {"exec-predict"}
    container = executors["exec-predict"]["container"]
    assert container["image"] == labels.ANY_CUDA_IMAGE
    assert container["resources"]["accelerator"]["resourceType"] == "nvidia.com/gpu"
    assert container["resources"]["accelerator"]["resourceCount"] == "1"
    taint = labels.GPU_TAINT
    assert placed["exec-predict"] == {
        "activeDeadlineSeconds": "43200",
        "nodeSelector": {"labels": {labels.ROLE_LABEL: "gpu", labels.GPU_MODE_LABEL: "job"}},
        "tolerations": [{"key": taint["key"], "operator": "Equal", "value": taint["value"], "effect": taint["effect"]}],
    }
    assert not any("tolerations" in placed[name] for name in placed.keys() - asking)


def test_only_work_on_movies_is_tried_again(texts: dict[str, str]) -> None:
    spec = next(yaml.safe_load_all(texts["movies.yaml"]))
    found = {}
    for component in [spec["root"], *spec["components"].values()]:
        for name, task in component.get("dag", {}).get("tasks", {}).items():
            if "executorLabel" in spec["components"][task["componentRef"]["name"]]:
                assert task["cachingOptions"] == {}, "what lies under a prefix changes while the prefix does not"
            found[name] = task.get("retryPolicy", {}).get("maxRetryCount", 0)
    assert {name for name, count in found.items() if count} == {
        "predict",
        "predict-2",
        "preprocess",
        "write",
        "write-2",
    }


def test_drift_is_shown_and_files_that_nothing_makes_go(tmp_path: Path, texts: dict[str, str]) -> None:
    compiling.write(texts, tmp_path)
    (tmp_path / "old.yaml").write_text("a: 1\n")
    (tmp_path / "sample.yaml").write_text(texts["sample.yaml"].replace("root", "boot", 1))
    shown = "".join(compiling.differences(texts, tmp_path))
    assert "--- a/old.yaml" in shown
    assert "--- a/sample.yaml" in shown
    assert "movies.yaml" not in shown
    compiling.write(texts, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {f"{pipeline.name}.yaml" for pipeline in PIPELINES}


def test_the_sample_runs(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(tmp_path))
        sample(count=4)
    said = [json.loads(path.read_text()) for path in tmp_path.rglob("process/executor_output.json")]
    means = sorted(each["parameterValues"]["Output"] for each in said)
    assert means == [f"mean {item + 0.375:.3f}" for item in range(1, 7)]


def test_the_example_of_the_how_to_is_a_pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Word for word as a reader copies it."""
    page = Path(__file__).parents[4] / "docs" / "how-to" / "write-a-pipeline.md"
    [code] = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "example_of_the_page.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    example = importlib.import_module("example_of_the_page")
    compiler.Compiler().compile(example.count_movies, str(tmp_path / "count.yaml"))
    executors, platform = parts((tmp_path / "count.yaml").read_text(encoding="utf-8"))
    assert set(executors) == set(platform) == {"exec-count"}
