"""Sets of models in a cluster file: what is refused, and that what is not refused fits its nodes."""

from __future__ import annotations

from typing import Any

import kubernetes_validate
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from generators.model import names, server_sets
from generators.model.identities import identities
from generators.model.rules import findings
from generators.renderers import manifests
from tests.gpu_inference import environment, gpus, groups_of, of_kind, pods
from tests.gpu_nodes import GPU_TYPES, MIG_TYPES, PROFILES, cluster, declared, fits

ONE = {"gpu": declared("g4dn.xlarge", "server", 2, 4)}
OTHERS = {
    "gpu": declared("g4dn.12xlarge", "server", 2, 4),
    "spare": declared("g4dn.12xlarge", "server", 2, 4),
    "batches": declared("g4dn.xlarge", "job", 2, 4),
}
TWO: dict[str, Any] = {"one": {"models": ["a"]}, "two": {"models": ["b"]}}


def sliced(kind: str, slices: int) -> dict[str, Any]:
    return {**declared(kind, "server", 2, 4), "gpu": {"mode": "server", "slices": slices}}


def batch(**changes: Any) -> dict[str, Any]:
    return {"batch": {"node_group": "gpu", "input": "in/", "output": "out/", "model": "a", **changes}}


@pytest.mark.parametrize(
    ("groups", "inference", "path", "words", "hint"),
    [
        (
            ONE,
            {"servers": TWO},
            "node_groups.gpu.gpu",
            "2 sets of models (one, two) are on it, and a `g4dn.xlarge` has GPUs to divide: 1",
            "`slices: 2` makes one for each of them, or give each set `node_groups` of its own",
        ),
        (
            {"gpu": declared("g4dn.12xlarge", "server", 2, 4)},
            {"servers": {**TWO, "three": {}}},
            "node_groups.gpu.gpu",
            "3 sets of models (one, three, two) are on it, and a `g4dn.12xlarge` has GPUs to divide: 4",
            "give each set `node_groups` of its own",
        ),
        (
            {"gpu": sliced("g4dn.2xlarge", 4)},
            {"servers": TWO},
            "node_groups.gpu.gpu",
            "2 sets of models (one, two) are on it, and a `g4dn.2xlarge` has 4 slices, which are for one set each",
            "`slices: 2` makes one for each of them, or give each set `node_groups` of its own",
        ),
        (
            {"gpu": sliced("g4dn.2xlarge", 2)},
            {"servers": {**TWO, "two": {"gpu_memory_mib": 8193}}},
            "apps.gpu-inference.servers.two.gpu_memory_mib",
            "8193 is more than a GPU or slice of node_groups.gpu has, 8192",
            "fewer slices, another instance type, or other node_groups for this set",
        ),
        (
            OTHERS,
            {"models": ["a"], "servers": TWO},
            "apps.gpu-inference.models",
            "is for a cluster without apps.gpu-inference.servers",
            "move them to `models` of a set",
        ),
        (
            OTHERS,
            {"servers": {"a-server-b": {}}},
            "apps.gpu-inference.servers.a-server-b",
            "a set's name has no part `server`",
            "its objects are named `<set>-server`",
        ),
        (
            OTHERS,
            {"servers": {"one": {"own": {}}}},
            "apps.gpu-inference.servers.one.own",
            "says that the image is not Triton's, and there is none",
            "add `image:`",
        ),
        (
            OTHERS,
            {"servers": {"one": {}, "two": {"node_groups": ["batches"]}}},
            "apps.gpu-inference.servers.two.node_groups[0]",
            "no node group `batches` of mode server",
            "node groups of mode server: gpu, spare",
        ),
        (
            OTHERS,
            {"servers": {"one": {}, "two": {"node_groups": ["gpu", "gpu"]}}},
            "apps.gpu-inference.servers.two.node_groups[1]",
            "`gpu` is named twice",
            "once is enough",
        ),
        (
            OTHERS,
            {"servers": {"one": {"node_groups": ["gpu"]}}},
            "node_groups.spare.gpu",
            "no set of apps.gpu-inference.servers is on it",
            "name it in `node_groups` of a set, or let a set be on all by leaving them out",
        ),
        (
            OTHERS,
            {"servers": TWO, "jobs": batch()},
            "apps.gpu-inference.jobs.batch",
            "2 sets of models are on node_groups.gpu, and it says of none that it is asked",
            "add `server: one`, or another of one, two",
        ),
        (
            OTHERS,
            {"servers": TWO, "jobs": batch(server="thee")},
            "apps.gpu-inference.jobs.batch.server",
            "no set `thee` of apps.gpu-inference.servers is on node_groups.gpu",
            "there is one, two",
        ),
        (
            OTHERS,
            {
                "servers": {"one": {}, "two": {"node_groups": ["gpu"]}},
                "jobs": batch(server="two", fallback=["spare"]),
            },
            "apps.gpu-inference.jobs.batch.server",
            "no set `two` of apps.gpu-inference.servers is on node_groups.spare",
            "there is one",
        ),
        (
            OTHERS,
            {"servers": TWO, "jobs": batch(server="two")},
            "apps.gpu-inference.jobs.batch.model",
            "`a` is no model of the server on node_groups.gpu",
            "apps.gpu-inference.servers.two.models has b",
        ),
        (
            OTHERS,
            {"jobs": batch(node_group="batches", model="models/a/1/model.onnx", server="default")},
            "apps.gpu-inference.jobs.batch.server",
            "no model server runs on node_groups.batches, which is of mode job",
            "leave it out: the worker reads the model itself",
        ),
        (
            {"gpu": {**ONE["gpu"], "gpu": {"mode": "job", "slices": 2}}},
            {},
            "node_groups.gpu.gpu.slices",
            "mode `job` is for whole GPUs",
            "take `mode: shared`, or leave it out",
        ),
        (
            {"gpu": {**ONE["gpu"], "gpu": {"mode": "shared"}}},
            {},
            "node_groups.gpu.gpu",
            "mode `shared` needs `slices`, or `mig`",
            "`gpu: {mode: shared, slices: 4}`",
        ),
    ],
)
def test_sets_that_cannot_run_are_refused(
    groups: dict[str, Any], inference: dict[str, Any], path: str, words: str, hint: str
) -> None:
    [found] = findings(cluster(groups, inference))
    assert (".".join(map(str, found.path)).replace(".0", "[0]").replace(".1", "[1]"), found.message, found.hint) == (
        path,
        words,
        hint,
    )


def test_without_servers_there_is_one_set_of_the_apps_own_keys() -> None:
    short = cluster(ONE, {"models": ["a"], "server_image": "example.com/triton:1", "model_repository": "nets/"})
    long = {"default": {"models": ["a"], "image": "example.com/triton:1", "model_repository": "nets/"}}
    assert findings(short) == []
    assert manifests.render(short) == manifests.render(cluster(ONE, {"servers": long, "model_repository": "nets/"}))


def test_a_node_that_many_sets_leave_too_little_of_is_refused() -> None:
    servers: dict[str, Any] = {f"set-{index}": {} for index in range(13)}
    [found] = findings(cluster({"gpu": sliced("g4dn.xlarge", 13)}, {"servers": servers}))
    # A worker beside them.
    assert found.message.startswith("14 pods on a `g4dn.xlarge` get ")


def test_the_role_may_read_each_repository_that_a_set_has() -> None:
    inputs = cluster(OTHERS, {"servers": {"one": {}, "two": {"model_repository": "nets/"}}})
    [mine] = [each for each in identities(inputs) if each.service_account == "gpu-inference"]
    [reads] = [each["Resource"] for each in mine.statements if each["Action"] == ["s3:GetObject"]]
    bucket = f"arn:aws:s3:::{names.bucket(inputs.cluster)}"
    assert reads == [f"{bucket}/models/*", f"{bucket}/nets/*"]


MANY = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d", "e", "f", "g", "h", "default"]),
    st.fixed_dictionaries(
        {},
        optional={
            "node_groups": st.lists(st.sampled_from(["gpu", "spare"]), min_size=1, max_size=2, unique=True),
            "own": st.fixed_dictionaries({}, optional={"port": st.integers(1024, 65535)}),
            "gpu_memory_mib": st.integers(1, 30_000),
        },
    ),
    max_size=8,
)
PARTS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"slices": st.integers(2, 8), "sharing": st.sampled_from(["time-slicing", "mps"])}),
    st.fixed_dictionaries({"mig": st.sampled_from(PROFILES)}),
)


KINDS = st.sampled_from(GPU_TYPES) | st.sampled_from(MIG_TYPES)


@settings(max_examples=200, deadline=None)
@given(kinds=st.tuples(KINDS, KINDS), parts=PARTS, servers=MANY)
def test_no_server_asks_for_what_its_nodes_do_not_have(
    kinds: tuple[str, str], parts: dict[str, Any], servers: dict[str, Any]
) -> None:
    gpu = {"mode": "server", **parts}
    groups = {
        name: {**declared(kind, "server", 2, 9), "gpu": gpu} for name, kind in zip(("gpu", "spare"), kinds, strict=True)
    }
    given_images = {
        name: {**each, **({"image": "example.com/own:1"} if "own" in each else {})} for name, each in servers.items()
    }
    inputs = cluster(groups, {"servers": given_images})
    if problems := [each for each in findings(inputs) if each.path[:2] != ("network", "pod_cidrs")]:
        event("refused")
        assert {each.path[0] for each in problems} <= {"node_groups", "apps"}
        return
    event("rendered")
    objects: list[Any] = list(manifests.render(inputs).values())
    mine = [each for each in objects if each["metadata"].get("namespace") == "gpu-inference"]
    for each in mine:
        kubernetes_validate.validate(each, "1.35", strict=True)
    for name in groups:
        there = [pod for pod in pods(of_kind(mine, "DaemonSet")) if groups_of(pod) == {name}]
        assert len(there) == len(server_sets.on(inputs.cluster, name)) >= 1
        assert min(map(gpus, there)) >= 1
        fits(inputs, name, there, None)
    ports = {
        each["metadata"]["name"]: {port["port"] for port in each["spec"]["ports"]} for each in of_kind(mine, "Service")
    }
    for each in of_kind(mine, "DaemonSet"):
        service = each["metadata"]["name"].removesuffix(f"-{each['metadata']['labels']['inference-fleet/node-group']}")
        listening = {port["containerPort"] for port in pods([each])[0]["containers"][0]["ports"]}
        assert ports[service] <= listening
        assert environment(pods([each])[0]["containers"][0])["AWS_REGION"]
