"""Models that GPU nodes keep: their folder, who fills it, who reads it, and what is left as it was without it."""

from __future__ import annotations

from typing import Any

import kubernetes_validate
import pytest

from generators.model import gpu_room, names, warm_models
from generators.model.base import Finding
from generators.model.catalog import Inputs
from generators.model.rules import findings
from generators.renderers import manifests, tfvars
from tests.gpu_inference import (
    EVERYTHING,
    SETS,
    VERSIONS,
    WARM,
    Object,
    environment,
    gpus,
    groups_of,
    mib,
    of_kind,
    pods,
    render,
    the,
    warm,
)
from tests.gpu_inference import names as named
from tests.gpu_nodes import cluster, declared, everywhere

HERE = "/tmp/models-are-here"  # noqa: S108 (the pod's own)
ONNX = "models/resnet50/1/model.onnx"
RULES = {"models": ["resnet50"], "warm_models": True}


def pod_of(objects: list[Object], kind: str, name: str) -> Object:
    [found] = pods([the(objects, kind, name)])
    return found


def mounts(container: Object) -> dict[str, Object]:
    return {each["mountPath"]: each for each in container["volumeMounts"]}


def test_what_comes_with_it() -> None:
    more = named(render(WARM)) - named(render(EVERYTHING))
    assert {each for each in more if not each.startswith("Job/")} == {
        "NetworkPolicy/models",
        "PersistentVolume/gpu-inference-models",
        "PersistentVolumeClaim/models",
        "PriorityClass/gpu-inference-warmer",
        *(f"DaemonSet/models-{group}" for group in EVERYTHING["nodeGroups"]),
    }


def test_without_it_nothing_speaks_of_it() -> None:
    for each in render(EVERYTHING):
        assert "/models-are-here" not in str(each)
        assert "persistentVolumeClaim" not in str(each)


def test_a_worker_beside_a_server_is_left_as_it_was() -> None:
    before, after = (the(render(each), "Job", "beside-server") for each in (EVERYTHING, WARM))
    assert before == after


def test_the_folder_is_each_nodes_own_and_claimed_by_us_alone() -> None:
    objects = render(WARM)
    volume, claim = the(objects, "PersistentVolume"), the(objects, "PersistentVolumeClaim")
    assert volume["spec"]["local"] == {"path": names.MODEL_FOLDER}
    reference = volume["spec"]["claimRef"]
    assert (reference["namespace"], reference["name"]) == ("gpu-inference", claim["metadata"]["name"])
    assert claim["spec"]["volumeName"] == volume["metadata"]["name"]
    for spec in (volume["spec"], claim["spec"]):
        assert spec["storageClassName"] == ""
        assert spec["accessModes"] == ["ReadWriteMany"]
    [term] = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    [rule] = term["matchExpressions"]
    assert (rule["key"], rule["values"]) == (names.ROLE_LABEL, ["gpu"]), "it cannot be changed when groups come and go"


def test_every_gpu_node_has_that_folder_whether_models_are_warmed_or_not() -> None:
    inputs = cluster({"gpu": declared("g4dn.xlarge", "job", 2, 1)}, {})
    groups = tfvars.node_groups(inputs)
    assert groups["gpu"]["model_folder"] == names.MODEL_FOLDER
    assert {name for name, each in groups.items() if each["model_folder"]} == {"gpu"}
    assert names.node_labels("gpu", inputs.cluster.node_groups["gpu"], inputs.catalog.instances["g4dn.xlarge"])[
        names.ROLE_LABEL
    ] == WARM["modelFolder"]["nodes"][names.ROLE_LABEL]  # fmt: skip


def test_a_warmer_a_node_keeps_what_its_group_names() -> None:
    objects = render(WARM)
    for name, group in WARM["nodeGroups"].items():
        daemon_set = the(objects, "DaemonSet", f"models-{name}")
        assert daemon_set["spec"]["updateStrategy"]["rollingUpdate"] == {"maxUnavailable": "10%"}
        pod = pod_of(objects, "DaemonSet", f"models-{name}")
        assert groups_of(pod) == {name}
        [container] = pod["containers"]
        assert container["command"] == [
            *("python", "-m", "inference_worker", "warm", "--folder=/models", "--limit-mib=61440"),
            *(f"--ready={HERE}", *group["warm"]["models"]),
        ]
        assert container["image"] == WARM["images"]["worker"]
        assert mounts(container)["/models"] == {"name": "models", "mountPath": "/models"}
        assert container["readinessProbe"]["exec"]["command"] == ["test", "-e", HERE]
        assert container["resources"]["limits"] == {"memory": "256Mi"}
        assert {"name": "NVIDIA_VISIBLE_DEVICES", "value": "void"} in container["env"]
        assert (pod["serviceAccountName"], pod["priorityClassName"]) == ("warmer", "gpu-inference-warmer")
        assert gpus(pod) == 0


@pytest.mark.parametrize("facts", [WARM, warm(SETS)])
def test_a_server_starts_with_its_models_held_and_reads_them_only(facts: dict[str, Any]) -> None:
    objects = render(facts)
    servers = [each for each in of_kind(objects, "DaemonSet") if "server" in each["metadata"]["name"]]
    assert servers
    for each in servers:
        [pod] = pods([each])
        [first], [server] = pod["initContainers"], pod["containers"]
        [own] = [s for s in facts["servers"].values() if each["metadata"]["name"].startswith(f"{s['name']}-gpu")]
        assert first["restartPolicy"] == "Always", "its locks last as long as the pod"
        assert first["command"][3:] == [
            *("pin", "--folder=/models", "--limit-mib=61440", "--view=/tmp/repository", f"--ready={HERE}"),
            *(f"{own['modelRepository']}{model}/" for model in own["models"]),
        ]
        probe = first["startupProbe"]
        assert probe["exec"]["command"] == ["test", "-e", HERE]
        assert probe["periodSeconds"] * probe["failureThreshold"] == 900
        assert "readOnly" not in mounts(first)["/models"]
        assert mounts(server)["/models"]["readOnly"] is True
        assert mounts(first)["/tmp"] == mounts(server)["/tmp"], "where the links are"  # noqa: S108
        if own["kind"] == "triton":
            assert "--model-repository=/tmp/repository" in server["args"]
        else:
            assert environment(server)["INFERENCE_LOCAL_REPOSITORY"] == "/tmp/repository"  # noqa: S108
        assert "s3://" not in str(server)


@pytest.mark.parametrize("batch", ["nightly", "thumbnails", "weekly"])
def test_a_worker_finds_its_model_on_the_node_and_cannot_write_there(batch: str) -> None:
    [pod] = pods([each for each in render(WARM) if each["metadata"]["name"].startswith(batch)])
    [first], [worker] = pod["initContainers"], pod["containers"]
    assert "restartPolicy" not in first
    assert first["command"][3:] == ["fetch", "--folder=/models", "--limit-mib=61440", ONNX]
    assert "readOnly" not in mounts(first)["/models"]
    assert mounts(worker)["/models"]["readOnly"] is True
    assert environment(worker)["INFERENCE_MODELS_FOLDER"] == "/models"
    assert environment(worker)["INFERENCE_MODEL"] == ONNX
    assert environment(first)["INFERENCE_BUCKET"] == environment(worker)["INFERENCE_BUCKET"]


def test_a_batch_on_several_groups_keeps_to_the_smallest_folder() -> None:
    facts = warm(EVERYTHING)
    facts["nodeGroups"]["gpu-reserve"]["warm"]["limitMib"] = 1000
    [pod] = pods([the(render(facts), "CronJob", "weekly")])
    assert "--limit-mib=1000" in pod["initContainers"][0]["command"]


def test_the_folder_is_given_to_no_group_at_each_start() -> None:
    for pod in pods(render(WARM)):
        if any("persistentVolumeClaim" in volume for volume in pod["volumes"]):
            assert pod["securityContext"]["fsGroupChangePolicy"] == "OnRootMismatch"
            assert (pod["securityContext"]["runAsUser"], pod["securityContext"]["fsGroup"]) == (1000, 1000)


def test_a_warmer_speaks_to_names_and_to_aws() -> None:
    policy = the(render(WARM), "NetworkPolicy", "models")["spec"]
    assert policy["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "models"
    assert "ingress" not in policy
    assert {each["port"] for rule in policy["egress"] for each in rule["ports"]} == {53, 443}


@pytest.mark.parametrize("version", VERSIONS)
def test_they_are_valid(version: str) -> None:
    for each in render(WARM):
        kubernetes_validate.validate(each, version, strict=True)


def rendered(inputs: Inputs) -> list[Object]:
    objects: list[Object] = list(manifests.render(inputs).values())  # type: ignore[arg-type]
    return [each for each in objects if each["metadata"].get("namespace") == "gpu-inference"]


@pytest.mark.parametrize("mode", ["server", "job", "shared"])
@pytest.mark.parametrize("kind", ["g4dn.xlarge", "g5.48xlarge"])
def test_what_it_takes_of_a_node_is_counted(kind: str, mode: str) -> None:
    """All pods of a node together, by what the scheduler counts: init containers that stay too."""
    model = "resnet50" if mode == "server" else ONNX
    job = {"node_group": "gpu", "input": "in/", "output": "out/", "model": model}
    group = {**declared(kind, mode, 2, 1), "disk_gb": 300}
    inputs = cluster({"gpu": group}, {**RULES, "jobs": {"batch": job}})
    assert findings(inputs) == []
    objects, free = rendered(inputs), gpu_room.room(inputs, "gpu")
    [worker] = pods(of_kind(objects, "Job"))
    on_node = pods(of_kind(objects, "DaemonSet"))
    on_node += [worker] * (1 if mode == "server" else sum(map(int, [gpu_room.pods(inputs, "gpu")])))
    cpu, memory = (sum(each) for each in zip(*map(requested, on_node), strict=True))
    off = cluster({"gpu": group}, {**RULES, "warm_models": False, "jobs": {"batch": job}})
    before = gpu_room.room(off, "gpu")
    assert cpu <= before.cpu_milli
    assert memory <= before.memory_mib
    assert before.pods_max - free.pods_max == 1
    assert everywhere()[1] < gpu_room.EVERY_NODE_MEMORY_MIB


def requested(pod: Object) -> tuple[int, int]:
    """Millicores and MiB: containers and those that stay beside them, or a first one that asks for more."""
    first = pod.get("initContainers", [])
    stay = [*pod["containers"], *[each for each in first if each.get("restartPolicy") == "Always"]]
    asks = [each["resources"]["requests"] for each in stay]
    once = [each["resources"]["requests"] for each in first if "restartPolicy" not in each]
    cpu = sum(int(each["cpu"].removesuffix("m")) for each in asks)
    memory = sum(mib(each["memory"]) for each in asks)
    return (
        max([cpu, *[int(each["cpu"].removesuffix("m")) for each in once]]),
        max([memory, *[mib(each["memory"]) for each in once]]),
    )


def test_what_a_node_keeps_is_what_its_pods_read() -> None:
    groups = {
        "gpu": {**declared("g4dn.xlarge", "server", 2, 1), "disk_gb": 200},
        "batch": {**declared("g5.xlarge", "job", 2, 1), "disk_gb": 200},
        "spare": {**declared("g5.xlarge", "job", 2, 1), "disk_gb": 400},
    }
    jobs = {
        "a": {"node_group": "batch", "fallback": ["spare"], "input": "in/", "output": "out/a/", "model": ONNX},
        "b": {"node_group": "batch", "input": "in/", "output": "out/b/", "model": "models/other.onnx"},
        "c": {"node_group": "gpu", "input": "in/", "output": "out/c/", "model": "resnet50"},
    }
    inputs = cluster(groups, {**RULES, "jobs": jobs})
    assert findings(inputs) == []
    assert {name: warm_models.named(inputs.cluster, name) for name in groups} == {
        "gpu": ["models/resnet50/"],
        "batch": ["models/other.onnx", ONNX],
        "spare": [ONNX],
    }
    assert [warm_models.room_mib(inputs.cluster.node_groups[name]) for name in groups] == [61440, 61440, 235520]
    for pod in pods(rendered(inputs)):
        asked = [word for first in pod.get("initContainers", []) for word in first["command"]]
        for name in groups_of(pod):
            known = warm_models.named(inputs.cluster, name)
            assert {word for word in asked if word.startswith("models/")} <= set(known)


def told(groups: dict[str, Any], inference: dict[str, Any]) -> list[Finding]:
    return findings(cluster(groups, inference))


def test_a_disk_without_room_for_models_is_refused() -> None:
    [found] = told({"gpu": declared("g4dn.xlarge", "server", 2, 1)}, RULES)
    assert found.path == ("node_groups", "gpu", "disk_gb")
    assert found.message == "100 leaves no room for the models of apps.gpu-inference.warm_models"
    assert found.hint == "at least 142, of which images and scratch space take 110"
    assert told({"gpu": {**declared("g4dn.xlarge", "server", 2, 1), "disk_gb": 142}}, RULES) == []
    [found] = told({"gpu": {**declared("g4dn.xlarge", "server", 2, 1), "disk_gb": 141}}, RULES)


def test_models_must_be_named_to_be_kept() -> None:
    groups = {"gpu": {**declared("g4dn.xlarge", "server", 2, 1), "disk_gb": 200}}
    [found] = told(groups, {"warm_models": True})
    assert (found.path, found.message) == (
        ("apps", "gpu-inference", "models"),
        "apps.gpu-inference.warm_models needs them",
    )
    [found] = told(groups, {"warm_models": True, "servers": {"faces": {}}})
    assert found.path == ("apps", "gpu-inference", "servers", "faces", "models")
    batches = {"gpu": {**declared("g4dn.xlarge", "job", 2, 1), "disk_gb": 200}}
    assert told(batches, {"warm_models": True}) == []


def test_the_folder_is_looked_for_by_what_all_gpu_nodes_share() -> None:
    groups = {"gpu": {**declared("g4dn.xlarge", "server", 2, 1), "disk_gb": 200}}
    found = manifests.render(cluster(groups, RULES))
    volume: Any = found["manifests/gpu-inference/persistentvolume-gpu-inference-models.yaml"]
    [term] = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    assert term["matchExpressions"] == [{"key": names.ROLE_LABEL, "operator": "In", "values": [names.GPU_ROLE]}]
