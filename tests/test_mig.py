"""GPUs in MIG instances: NVIDIA's profiles, what a cluster file may say of them, and what follows from it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from generators.lab import nodes as lab_nodes
from generators.model import gpus, names
from generators.model.managed_groups import managed_groups
from generators.model.rules import findings
from generators.renderers import manifests, readme, tfvars
from generators.renderers.charts import nvidia_device_plugin
from tests.gpu_inference import environment, of_kind, pods
from tests.gpu_inference import gpus as gpus_of
from tests.gpu_nodes import MIG_TYPES, TYPES, cluster, declared


def partitioned(kind: str, profile: str, mode: str = "shared", **more: Any) -> dict[str, Any]:
    return {**declared(kind, "server", 2, 4), "gpu": {"mode": mode, "mig": profile, **more}}


BATCH = {"batch": {"node_group": "gpu", "input": "in/", "output": "out/", "model": "models/a/1/model.onnx"}}


def test_the_types_with_mig_are_those_of_a100_h100_and_h200() -> None:
    assert MIG_TYPES == ["p4d.24xlarge", "p4de.24xlarge", "p5.48xlarge", "p5.4xlarge", "p5e.48xlarge", "p5en.48xlarge"]


@pytest.mark.parametrize("name", MIG_TYPES)
def test_profiles_fit_their_gpu(name: str) -> None:
    kind = TYPES[name]
    assert len(kind.mig) == 4
    for profile, facts in kind.mig.items():
        slices, gigabytes = map(int, re.fullmatch(r"([1-7])g\.([0-9]+)gb", profile).groups())  # type: ignore[union-attr]
        assert 2 <= facts.instances <= 7 // slices
        assert facts.instances * facts.memory_mib <= kind.gpu_memory_mib
        # NVIDIA rounds up in the name, and keeps a part for itself.
        assert 0.85 < facts.memory_mib / (gigabytes * 1024) < 1


@pytest.mark.parametrize(
    ("group", "key", "words", "hint"),
    [
        (
            partitioned("p5.4xlarge", "1g.5gb"),
            "mig",
            "`1g.5gb` is no MIG profile of the H100 of a `p5.4xlarge`",
            "there are 1g.10gb (×7), 1g.20gb (×4), 2g.20gb (×3), 3g.40gb (×2)",
        ),
        (
            partitioned("p5.4xlarge", "7g.80gb"),
            "mig",
            "`7g.80gb` is no MIG profile of the H100 of a `p5.4xlarge`",
            "there are 1g.10gb (×7), 1g.20gb (×4), 2g.20gb (×3), 3g.40gb (×2)",
        ),
        (
            partitioned("g5.xlarge", "1g.5gb"),
            "mig",
            "`1g.5gb` is no MIG profile of the A10G of a `g5.xlarge`",
            "its GPUs have no MIG that this fleet knows; take `slices`",
        ),
        (
            partitioned("p5.4xlarge", "1g.10gb", slices=2),
            "slices",
            "MIG's instances are not sliced again",
            "leave `slices` or `mig` out",
        ),
        (
            partitioned("p5.4xlarge", "1g.10gb", sharing="mps"),
            "sharing",
            "is for slices, and there are none",
            "`gpu: {mode: shared, slices: 4, sharing: mps}`, or leave it out",
        ),
        (
            partitioned("p5.4xlarge", "1g.10gb", "job"),
            "mig",
            "mode `job` is for whole GPUs",
            "take `mode: shared`, or leave it out",
        ),
    ],
)
def test_what_no_gpu_can_be_partitioned_into_is_refused(group: dict[str, Any], key: str, words: str, hint: str) -> None:
    [found] = findings(cluster({"gpu": group}, {}))
    assert (found.path, found.message, found.hint) == (("node_groups", "gpu", "gpu", key), words, hint)


def test_types_whose_gpus_differ_in_memory_alone_do_not_share_a_group() -> None:
    """Both have eight A100 and 96 vCPU, and a profile of one name is four instances of the one, seven of the other."""
    group = {**partitioned("p4d.24xlarge", "1g.10gb"), "instance_types": ["p4d.24xlarge", "p4de.24xlarge"]}
    [found] = findings(cluster({"gpu": group}, {}))
    assert found.path == ("node_groups", "gpu", "instance_types", 1)
    assert "8× a100 of 81920 MiB; " in found.message


def test_a_shard_asks_for_one_instance_and_knows_its_memory() -> None:
    inputs = cluster({"gpu": partitioned("p5.4xlarge", "1g.20gb")}, {"jobs": BATCH})
    assert findings(inputs) == []
    mine = [each for each in manifests.render(inputs).values() if isinstance(each, dict)]
    [job] = of_kind(mine, "Job")
    assert job["spec"]["parallelism"] == 4 * 4  # nodes, each with one GPU of four instances
    [worker] = pods([job])
    assert gpus_of(worker) == 1
    assert environment(worker["containers"][0])["INFERENCE_GPU_MEMORY_MIB"] == "20090"


def test_a_model_that_needs_more_than_an_instance_has_is_refused() -> None:
    batch = {"batch": {**BATCH["batch"], "gpu_memory_mib": 20091}}
    [found] = findings(cluster({"gpu": partitioned("p5.4xlarge", "1g.20gb")}, {"jobs": batch}))
    assert found.message == "20091 is more than a GPU or slice of node_groups.gpu has, 20090"


def test_sets_of_models_get_an_instance_each() -> None:
    group = partitioned("p5.4xlarge", "3g.40gb", "server")
    inputs = cluster({"gpu": group}, {"servers": {"one": {}, "two": {"gpu_memory_mib": 40448}}})
    assert findings(inputs) == []
    objects = [each for each in manifests.render(inputs).values() if isinstance(each, dict)]
    servers = [each for each in of_kind(objects, "DaemonSet") if each["metadata"]["namespace"] == "gpu-inference"]
    assert [gpus_of(pod) for pod in pods(servers)] == [1, 1]


def test_terraform_autoscaler_and_lab_count_the_instances() -> None:
    inputs = cluster({"gpu": partitioned("p5.48xlarge", "1g.10gb")}, {})
    group = inputs.cluster.node_groups["gpu"]
    [facts] = [each for name, each in tfvars.node_groups(inputs).items() if name == "gpu"]
    assert (facts["gpus"], facts["mig"]) == (56, {"profile": "1g.10gb", "instances": 7})
    assert gpus.offered(group, TYPES["p5.48xlarge"]) == 56
    [managed] = [each for each in managed_groups(inputs.cluster) if each.declared == "gpu"]
    status: Any = lab_nodes._status(inputs, managed, TYPES["p5.48xlarge"])
    assert status["allocatable"]["nvidia.com/gpu"] == "56"
    assert "| 32 h100 (shared, MIG 1g.10gb) |" in str(readme.render(inputs)["README.md"])
    others = [each["mig"] for name, each in tfvars.node_groups(inputs).items() if name != "gpu"]
    assert others == [None] * len(others)


def test_the_device_plugin_may_look_at_mig_only_where_there_is_some() -> None:
    """The container toolkit starts no container that asks for MIG's devices without CAP_SYS_ADMIN."""
    both = {"gpu": partitioned("p5.4xlarge", "1g.10gb"), "other": declared("g5.xlarge", "shared", 4, 1)}
    found = nvidia_device_plugin.facts(cluster(both, {}))
    assert found["migStrategy"] == "single"
    assert found["securityContext"] == {"capabilities": {"add": ["SYS_ADMIN"]}}
    for groups in ({"other": both["other"]}, {"gpu": declared("p5.4xlarge", "job", 2, 1)}):
        without = nvidia_device_plugin.facts(cluster(groups, {}))
        assert without["migStrategy"] == "none"
        assert "securityContext" not in without


def test_instances_are_gpus_of_their_own_to_the_device_plugin() -> None:
    inputs = cluster({"gpu": partitioned("p5.4xlarge", "1g.10gb")}, {})
    labels = names.node_labels("gpu", inputs.cluster.node_groups["gpu"], TYPES["p5.4xlarge"])
    assert labels[names.PLUGIN_CONFIG_LABEL] == "whole"
    assert names.MPS_LABEL not in labels
