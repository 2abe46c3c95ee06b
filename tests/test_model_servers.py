"""Several sets of models: what `apps/gpu-inference` makes of them, and that none gets what is another's."""

from __future__ import annotations

import copy
from itertools import permutations

import pytest

from tests.gpu_inference import (
    EVERYTHING,
    OWN,
    SETS,
    Facts,
    Object,
    environment,
    gpus,
    groups_of,
    names,
    of_kind,
    pods,
    refusal,
    render,
    the,
)

PLACES = {
    "server": ("gpu-pair", "gpu-slices", "gpu-t4"),
    "faces-server": ("gpu-pair", "gpu-slices"),
    "own-server": ("gpu-slices",),
}


def container(objects: list[Object], name: str) -> Object:
    [found] = pods([each for each in of_kind(objects, "DaemonSet") if each["metadata"]["name"] == name])
    return dict(found["containers"][0])


def test_each_set_has_a_server_on_each_of_its_groups_and_a_service_of_its_own() -> None:
    found = names(render(SETS))
    assert {each for each in found if each.startswith("DaemonSet/")} == {
        f"DaemonSet/{name}-{group}" for name, groups in PLACES.items() for group in groups
    }
    assert {each for each in found if each.startswith("Service/")} == {f"Service/{name}" for name in PLACES}
    assert {f"NetworkPolicy/{name}" for name in PLACES} <= found


def test_what_is_selected_for_one_set_is_none_of_anothers() -> None:
    objects = render(SETS)
    servers = of_kind(objects, "DaemonSet")
    for one, other in permutations(servers, 2):
        assert not one["spec"]["selector"]["matchLabels"].items() <= labels(other).items()
    for service in of_kind(objects, "Service"):
        chosen = [each for each in servers if service["spec"]["selector"].items() <= labels(each).items()]
        name = service["metadata"]["name"]
        assert {each["metadata"]["name"] for each in chosen} == {f"{name}-{group}" for group in PLACES[name]}
        assert service["spec"]["internalTrafficPolicy"] == "Local"


def labels(workload: Object) -> dict[str, str]:
    return dict(workload["spec"]["template"]["metadata"]["labels"])


def test_a_second_set_leaves_the_first_ones_names_and_selectors_as_they_were() -> None:
    """A DaemonSet's selector cannot be changed, and clients know the Service by its name."""
    for kind in ("DaemonSet", "Service"):
        [before] = of_kind(render(EVERYTHING), kind)
        [after] = [each for each in of_kind(render(SETS), kind) if each["metadata"] == before["metadata"]]
        assert after["spec"]["selector"] == before["spec"]["selector"]


def test_the_gpus_of_a_node_are_divided_among_its_sets() -> None:
    objects = render(SETS)
    for name, group in SETS["nodeGroups"].items():
        there = [pod for pod in pods(of_kind(objects, "DaemonSet")) if groups_of(pod) == {name}]
        assert len(there) == len(group["servers"])
        assert {gpus(pod) for pod in there} == {group["gpusPerServer"]}
        assert sum(map(gpus, there)) == group["gpusPerNode"]


def test_a_set_of_triton_has_its_own_models_and_arguments() -> None:
    args = container(render(SETS), "faces-server-gpu-pair")["args"]
    assert f"--model-repository=s3://{SETS['bucket']}/faces/models" in args
    assert [each for each in args if each.startswith("--load-model=")] == ["--load-model=faces"]
    assert args[-1] == "--log-verbose=1"


def test_an_image_of_ones_own_is_started_and_asked_as_it_says() -> None:
    objects = render(SETS)
    own, triton = container(objects, "own-server-gpu-slices"), container(objects, "server-gpu-slices")
    assert (own["image"], own["command"]) == (SETS["servers"]["own"]["image"], OWN["command"])
    assert "args" not in own
    assert own["ports"] == [{"name": "http", "protocol": "TCP", "containerPort": 9000}]
    for probe, path in (("startupProbe", "/ready"), ("readinessProbe", "/ready"), ("livenessProbe", "/live")):
        assert own[probe] == {**triton[probe], "httpGet": {"path": path, "port": "http"}}
    same = ("lifecycle", "resources", "securityContext", "volumeMounts")
    assert {key: own[key] for key in same} == {key: triton[key] for key in same}
    assert environment(own).items() >= environment(triton).items()
    assert (
        environment(own).items()
        >= {
            "INFERENCE_BUCKET": SETS["bucket"],
            "INFERENCE_GPU_MEMORY_MIB": "16384",
            "INFERENCE_MODELS": "cats",
            "INFERENCE_MODEL_REPOSITORY": "models/",
            "INFERENCE_PORT": "9000",
        }.items()
    )


@pytest.mark.parametrize(
    ("batch", "address"),
    [
        ("beside-default", "server.gpu-inference.svc.cluster.local:8000"),
        ("beside-faces", "faces-server.gpu-inference.svc.cluster.local:8000"),
        ("beside-own", "own-server.gpu-inference.svc.cluster.local:9000"),
    ],
)
def test_a_batch_asks_the_set_that_it_names(batch: str, address: str) -> None:
    [worker] = pods([the(render(SETS), "Job", batch)])
    assert environment(worker["containers"][0])["INFERENCE_SERVER"] == address


def test_policies_open_the_ports_of_each_set_to_workers_and_no_others() -> None:
    policies = {each["metadata"]["name"]: each["spec"] for each in of_kind(render(SETS), "NetworkPolicy")}
    to = {rule["to"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/component"]: rule["ports"]
          for rule in policies["worker"]["egress"][2:]}  # fmt: skip
    assert to.keys() == PLACES.keys()
    for name in PLACES:
        [entrance] = policies[name]["ingress"]
        assert entrance["from"] == [{"podSelector": policies["worker"]["podSelector"]}]
        assert entrance["ports"] == to[name]
        assert {each["port"] for each in to[name]} == ({9000} if name == "own-server" else {8000, 8001})
        assert policies[name]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == name


def test_with_mps_a_server_leaves_shared_memory_to_the_daemon() -> None:
    objects = render(SETS)
    for name in PLACES:
        mounts = {each["mountPath"] for each in container(objects, f"{name}-gpu-slices")["volumeMounts"]}
        assert mounts == {"/tmp"}  # noqa: S108


@pytest.mark.parametrize("key", OWN)
def test_what_is_missing_of_an_image_of_ones_own_is_named(key: str) -> None:
    cluster: Facts = copy.deepcopy(SETS)
    del cluster["servers"]["own"]["own"][key]
    assert f"servers.own.own: `{key}` is required" in refusal(cluster)
