"""GPU pods fit their nodes: every GPU type of the data, in every mode, as the whole of a cluster file renders it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from generators.model import gpu_room, names
from generators.model.base import Finding
from generators.model.rules import findings
from generators.renderers import manifests
from generators.renderers.charts import nvidia_device_plugin
from tests.gpu_inference import groups_of, of_kind, pods, spec_of
from tests.gpu_nodes import GPU_TYPES, MIG_TYPES, PROFILES, TYPES, cluster, declared, everywhere, fits, slots_of


def test_what_runs_on_every_node_fits_what_is_kept_for_it() -> None:
    cpu, memory = everywhere()
    assert 0.5 < cpu / gpu_room.EVERY_NODE_CPU_MILLI <= 1
    assert 0.5 < memory / gpu_room.EVERY_NODE_MEMORY_MIB <= 1


def model(mode: str) -> str:
    return "resnet50" if mode == "server" else "models/resnet50/1/model.onnx"


BATCHES = st.fixed_dictionaries(
    {},
    optional={
        "shards": st.integers(1, 100_000),
        "parallelism": st.integers(1, 5_000),
        "failed_percentage": st.integers(1, 100),
        "enough_percentage": st.integers(1, 99),
        "schedule": st.just("0 3 * * *"),
        "suspend": st.booleans(),
    },
)


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(GPU_TYPES) | st.sampled_from(MIG_TYPES),
    other=st.sampled_from(GPU_TYPES) | st.sampled_from(MIG_TYPES),
    mode=st.sampled_from(["server", "job", "shared"]),
    slices=st.integers(2, 16),
    most=st.integers(1, 450),
    batch=BATCHES,
    prefixes=st.booleans(),
    reserve=st.booleans(),
    mig=st.one_of(st.none(), st.sampled_from(PROFILES)),
)
def test_no_job_asks_for_what_no_node_group_has(
    kind: str,
    other: str,
    mode: str,
    slices: int,
    most: int,
    batch: dict[str, Any],
    prefixes: bool,
    reserve: bool,
    mig: str | None,
) -> None:
    groups = {"gpu": declared(kind, mode, slices, most), "spare": declared(other, mode, slices, 3)}
    if mig and mode == "shared":
        gpu = {"mode": mode, "mig": mig}
        groups = {name: {**each, "gpu": gpu} for name, each in groups.items()}
        lacking = [name for name, each in groups.items() if mig not in TYPES[each["instance_types"][0]].mig]
        if lacking:
            found = {each.path for each in findings(cluster(groups, {}))}
            assert {("node_groups", name, "gpu", "mig") for name in lacking} <= found
            return
    job = {
        "node_group": "gpu",
        "fallback": ["spare"] * reserve,
        "input": "in/",
        "output": "out/",
        "model": model(mode),
        **batch,
    }
    inputs = cluster(groups, {"jobs": {"batch": job}}, prefixes=prefixes)
    slots = sum(slots_of(inputs, name) for name in ("gpu", *job["fallback"]))
    problems = [each for each in findings(inputs) if each.path[:2] != ("network", "pod_cidrs")]
    if batch.get("parallelism", 0) > min(slots, 5_000):
        assert [each.path[-1] for each in problems if "jobs" in each.path] == ["parallelism"]
        return
    assume(not problems)
    objects: list[Any] = list(manifests.render(inputs).values())
    mine = [each for each in objects if each["metadata"].get("namespace") == "gpu-inference"]
    [spec] = [spec_of(each) for each in mine if each["kind"] in ("Job", "CronJob")]
    assert 1 <= spec["parallelism"] <= min(slots, spec["completions"])
    [worker] = pods([each for each in mine if each["kind"] in ("Job", "CronJob")])
    assert groups_of(worker) == {"gpu", *job["fallback"]}
    for name in groups_of(worker):
        servers = [pod for pod in pods(of_kind(mine, "DaemonSet")) if groups_of(pod) == {name}]
        fits(inputs, name, servers, worker)


@pytest.mark.parametrize("kind", GPU_TYPES)
@pytest.mark.parametrize("mode", ["server", "job"])
def test_every_gpu_type_has_room_with_whole_gpus(kind: str, mode: str) -> None:
    inputs = cluster({"gpu": declared(kind, mode, 2, 1)}, {})
    assert list(gpu_room.shares(inputs)) == []
    found = gpu_room.room(inputs, "gpu")
    assert found.memory_mib > 0.6 * inputs.catalog.instances[kind].memory_mib


def problem(groups: dict[str, Any], job: dict[str, Any]) -> Finding:
    mode = groups["gpu"]["gpu"]["mode"]
    jobs = {"batch": {"node_group": "gpu", "input": "in/", "output": "out/", "model": model(mode), **job}}
    [found] = findings(cluster(groups, {"jobs": jobs}))
    return found


@pytest.mark.parametrize(
    ("group", "job", "key", "words"),
    [
        (
            declared("g4dn.xlarge", "server", 2, 4),
            {"parallelism": 5},
            "parallelism",
            "5 is more than node_groups.gpu can hold at once, 4",
        ),
        (
            declared("g4dn.xlarge", "shared", 4, 4),
            {"gpu_memory_mib": 4097},
            "gpu_memory_mib",
            "4097 is more than a GPU or slice of node_groups.gpu has, 4096",
        ),
        (
            declared("g4dn.xlarge", "job", 4, 4),
            {"model": "resnet50"},
            "model",
            "`resnet50` is no ONNX file below apps.gpu-inference.model_repository, `models/`",
        ),
        (
            declared("g4dn.xlarge", "server", 4, 4),
            {"model": "models/resnet50/1/model.onnx"},
            "model",
            "`models/resnet50/1/model.onnx` is no model of the server on node_groups.gpu",
        ),
        (declared("g4dn.xlarge", "job", 4, 4), {"fallback": ["gpu"]}, 0, "`gpu` is named twice"),
        (declared("g4dn.xlarge", "job", 4, 4), {"fallback": ["workers"]}, 0, "no GPU node group `workers`"),
    ],
)
def test_a_batch_that_cannot_run_is_refused(
    group: dict[str, Any], job: dict[str, Any], key: object, words: str
) -> None:
    found = problem({"gpu": group}, job)
    assert (found.path[-1], found.message) == (key, words)
    assert found.hint


def test_a_reserve_of_another_mode_is_refused() -> None:
    groups = {"gpu": declared("g4dn.xlarge", "job", 2, 4), "other": declared("g4dn.xlarge", "shared", 2, 4)}
    found = problem(groups, {"fallback": ["other"]})
    assert found.message == "node_groups.other.gpu is not that of node_groups.gpu"


def test_slices_too_thin_for_a_pod_are_refused() -> None:
    [thin] = gpu_room.shares(cluster({"gpu": declared("g5.xlarge", "shared", 16, 1)}, {}))
    assert thin.message == "16 pods on a `g5.xlarge` get 207m CPU and 777 MiB each"
    crowded = {"gpu": declared("p5.48xlarge", "shared", 16, 1)}
    [found] = gpu_room.shares(cluster(crowded, {}, prefixes=False))
    assert found.message == "128 pods on a `p5.48xlarge`, which has room for 90 beside its own"
    assert list(gpu_room.shares(cluster(crowded, {}))) == []


@pytest.mark.parametrize(("sharing", "key"), [("time-slicing", "timeSlicing"), ("mps", "mps")])
def test_the_device_plugin_is_told_how_a_groups_gpus_are_shared(sharing: str, key: str) -> None:
    shared = declared("g5.xlarge", "shared", 4, 1)
    inputs = cluster({"gpu": {**shared, "gpu": {**shared["gpu"], "sharing": sharing}}}, {})
    group = inputs.cluster.node_groups["gpu"]
    labels = names.node_labels("gpu", group, inputs.catalog.instances["g5.xlarge"])
    config: Any = nvidia_device_plugin.facts(inputs)["config"]
    told = yaml.safe_load(config["map"][labels[names.PLUGIN_CONFIG_LABEL]])
    assert told["sharing"] == {key: {"resources": [{"name": "nvidia.com/gpu", "replicas": 4}]}}
    assert (labels.get("nvidia.com/mps.capable") == "true") == (sharing == "mps")


def test_groups_of_as_many_slices_but_another_way_have_configurations_apart() -> None:
    turns = declared("g5.xlarge", "shared", 4, 1)
    both = {"turns": turns, "mps": {**turns, "gpu": {**turns["gpu"], "sharing": "mps"}}}
    inputs = cluster(both, {})
    config: Any = nvidia_device_plugin.facts(inputs)["config"]
    ways = {
        name: list(yaml.safe_load(config["map"][names.plugin_config(group.gpu)])["sharing"])
        for name, group in inputs.cluster.node_groups.items()
        if group.gpu
    }
    assert ways == {"turns": ["timeSlicing"], "mps": ["mps"]}


def test_whole_gpus_have_no_way_of_sharing() -> None:
    whole = declared("g5.xlarge", "job", 4, 1)
    found = list(findings(cluster({"gpu": {**whole, "gpu": {"mode": "job", "sharing": "mps"}}}, {})))
    assert [each.path for each in found] == [("node_groups", "gpu", "gpu", "sharing")]
