"""Compiled pipelines as they are committed: what they ask for, and what they become for a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from generators.errors import FleetError
from generators.kubeflow import specs
from generators.model import labels, names
from generators.model.allocatable import allocatable
from generators.model.catalog import Inputs
from generators.model.node_groups import NodeGroup
from generators.model.sizing import max_pods
from generators.source.workspace import Workspace
from tests.fleets import ROOT, committed
from tests.pipelines import mib, milli

MOVIES = specs.read(ROOT, "movies")
OTHERS_MILLI, OTHERS_MIB = 500, 1024
"""More than Argo's own containers in the task's pod and the node's DaemonSets ask for."""


def test_the_committed_pipelines_are_known_and_typed() -> None:
    assert specs.known(ROOT) == ["movies", "sample"]
    found = {name: (each.kind, each.default, each.required) for name, each in MOVIES.parameters.items()}
    assert found["parallelism"] == ("NUMBER_INTEGER", 8, False)
    assert found["frames_per_second"] == ("NUMBER_DOUBLE", 1.0, False)
    assert found["gpu"] == ("BOOLEAN", False, False)
    assert all(each.meaning for each in MOVIES.parameters.values()), "each is explained on the screen"


def test_values_are_typed_as_the_pipeline_asks() -> None:
    given = ["parallelism=20", "frames_per_second=0.5", "gpu=TRUE", "prefix=movies/a=b/"]
    assert specs.arguments(MOVIES, given) == {
        "parallelism": 20,
        "frames_per_second": 0.5,
        "gpu": True,
        "prefix": "movies/a=b/",
    }


def test_everything_that_does_not_fit_is_told_at_once() -> None:
    given = ["paralelism=2", "parallelism=2.5", "frames_per_second=nan", "gpu=maybe", "prefix", "model=a", "model=b"]
    with pytest.raises(FleetError) as caught:
        specs.arguments(MOVIES, given)
    assert [str(problem) for problem in caught.value.problems] == [
        "error: pipeline movies: frames_per_second: `nan` is not a number\nhint: for example frames_per_second=1.0",
        "error: pipeline movies: gpu: `maybe` is not true or false\nhint: for example gpu=false",
        "error: pipeline movies: model: is given twice",
        "error: pipeline movies: paralelism: is no parameter of it\nhint: did you mean `parallelism`?",
        "error: pipeline movies: parallelism: `2.5` is not a whole number\nhint: for example parallelism=8",
        "error: pipeline movies: prefix: has no value\nhint: --param prefix=VALUE",
    ]


def spec(root: Path, kind: str, **more: object) -> specs.Spec:
    """A pipeline with one parameter, out of a file."""
    asked = {"parameters": {"a": {"parameterType": kind, **more}}}
    document = {"pipelineInfo": {"name": "one"}, "root": {"inputDefinitions": asked}}
    folder = root / specs.COMPILED
    folder.mkdir(parents=True)
    (folder / "one.yaml").write_text(yaml.safe_dump(document))
    return specs.read(root, "one")


def test_lists_and_objects_are_json(tmp_path: Path) -> None:
    assert specs.arguments(spec(tmp_path / "1", "LIST"), ["a=[1, 2]"]) == {"a": [1, 2]}
    assert specs.arguments(spec(tmp_path / "2", "STRUCT"), ['a={"b": 1}']) == {"a": {"b": 1}}
    with pytest.raises(FleetError, match=r"`\{\}` is not a JSON list"):
        specs.arguments(spec(tmp_path / "3", "LIST"), ["a={}"])


def test_what_has_no_default_must_be_given(tmp_path: Path) -> None:
    with pytest.raises(FleetError, match="pipeline one: a: needs a value"):
        specs.arguments(spec(tmp_path / "1", "STRING"), [])
    assert specs.arguments(spec(tmp_path / "2", "STRING", isOptional=True), []) == {}


def test_a_name_that_is_none_and_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(FleetError, match="there is no pipeline `movis`\nhint: did you mean `movies`"):
        specs.read(ROOT, "movis")
    spec(tmp_path, "STRING")
    (tmp_path / specs.COMPILED / "one.yaml").write_text("a: [")
    with pytest.raises(FleetError, match="is no compiled pipeline"):
        specs.read(tmp_path, "one")


@pytest.mark.parametrize("name", specs.known(ROOT))
@pytest.mark.parametrize("cluster", Workspace(ROOT).names())
def test_for_a_cluster_nothing_stands_for_itself_any_more(name: str, cluster: str) -> None:
    inputs = committed().load(cluster)
    text = specs.for_cluster(specs.read(ROOT, name).text, inputs.cluster)
    assert not [word for word in (labels.ANY_WORKER_IMAGE, labels.ANY_CUDA_IMAGE, labels.ANY_BUCKET) if word in text]
    executors = next(yaml.safe_load_all(text))["deploymentSpec"]["executors"].values()
    images = {each["container"]["image"] for each in executors}
    repository = names.worker_image(inputs.cluster, "")
    assert all(image.startswith(repository) for image in images)
    asking = {each["container"]["image"] for each in executors if "accelerator" in each["container"]["resources"]}
    assert all(image.endswith(labels.CUDA_SUFFIX) for image in asking)
    assert name != "movies" or (asking and names.bucket(inputs.cluster) in text)


def test_on_this_machine_the_bucket_is_a_clusters_or_given() -> None:
    cluster = committed().load("dev-tokyo").cluster
    assert specs.here(MOVIES, [], cluster) == {"bucket": names.bucket(cluster)}
    assert specs.here(MOVIES, ["bucket=mine"], cluster) == {"bucket": "mine"}
    assert specs.here(MOVIES, ["bucket=mine"], None) == {"bucket": "mine"}
    with pytest.raises(FleetError, match="bucket: needs a value"):
        specs.here(MOVIES, ["gpu=false"], None)


def groups_for(inputs: Inputs, wanted: dict[str, str]) -> Iterator[NodeGroup]:
    """Node groups whose nodes carry these labels."""
    for key, group in inputs.cluster.node_groups.items():
        labelled = names.node_labels(key, group, inputs.catalog.instances[group.instance_types[0]])
        if wanted.items() <= labelled.items():
            yield group


@pytest.mark.parametrize("name", specs.known(ROOT))
@pytest.mark.parametrize("cluster", Workspace(ROOT).names())
def test_every_task_fits_a_node_that_it_may_run_on(name: str, cluster: str) -> None:
    inputs = committed().load(cluster)
    spec, platform = yaml.safe_load_all(specs.read(ROOT, name).text)
    placed = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    for task, executor in spec["deploymentSpec"]["executors"].items():
        needs = executor["container"]["resources"]
        groups = list(groups_for(inputs, placed[task]["nodeSelector"]["labels"]))
        # Without GPUs for tasks, `fleet pipelines run` refuses gpu=true.
        assert groups or "accelerator" in needs, f"{task} has no node group"
        for group in groups:
            room = allocatable(inputs.catalog.instances[group.instance_types[0]], max_pods(inputs, group))
            assert milli(needs["resourceCpuRequest"]) + OTHERS_MILLI <= room.cpu_milli, task
            assert mib(needs["resourceMemoryRequest"]) + OTHERS_MIB <= room.memory_mib, task
