"""Facts for `apps/gpu-inference`, its evaluation, and ways to look at what comes out."""

from __future__ import annotations

import copy
import json
import posixpath
from functools import cache
from pathlib import Path
from typing import Any

import _jsonnet
import pytest
import rjsonnet

Facts = dict[str, Any]
Object = dict[str, Any]

APPS = Path(__file__).parents[1] / "apps"
MAIN = "gpu-inference/main.jsonnet"
SPOT_NOTICE_SECONDS = 120
ROLES = "arn:aws:iam::123456789012:role/prod-tokyo-gpu-inference"
VERSIONS = ("1.32", "1.33", "1.34", "1.35", "1.36")


def group(name: str, mode: str, **changes: Any) -> Facts:
    """A GPU node group. One of mode shared has a GPU in four slices."""
    servers = changes.get("servers", ["default"] if mode == "server" else [])
    offered = changes.get("gpusPerNode", 4 if mode == "shared" else 1)
    return {
        "mode": mode,
        "sharing": "time-slicing",
        "gpusPerNode": offered,
        "gpusPerServer": offered // len(servers) if servers else offered,
        "servers": servers,
        "max": 60,
        "cpuMilli": 3320,
        "memoryMib": 12438,
        "gpuMemoryMib": 4096 if mode == "shared" else 16384,
        "warm": None,
        "selector": {"inference-fleet/node-group": name},
        "taints": [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}],
        **changes,
    }


def server(name: str, **changes: Any) -> Facts:
    """A set of models at Triton; with `own`, at another image."""
    return {
        "name": "server" if name == "default" else f"{name}-server",
        "kind": "own" if "own" in changes else "triton",
        "image": "nvcr.io/nvidia/tritonserver:25.08-py3",
        "args": [],
        "models": [],
        "modelRepository": "models/",
        "own": None,
        **changes,
    }


def job(node_group: str, **changes: Any) -> Facts:
    return {
        "nodeGroups": [node_group],
        "input": "movies/",
        "output": "results/",
        "model": "models/resnet50/1/model.onnx",
        "server": "default",
        "shards": 64,
        "parallelism": 40,
        "deadlineSeconds": 86400,
        "maxFailed": min(7, changes.get("shards", 7)),
        "enough": None,
        "suspend": False,
        "schedule": None,
        "timeZone": "Etc/UTC",
        **changes,
    }


def facts(groups: Facts | None = None, jobs: Facts | None = None, **changes: Any) -> Facts:
    return {
        "name": "prod-tokyo",
        "region": "ap-northeast-1",
        "environment": "production",
        "bucket": "prod-tokyo-123456789012-ap-northeast-1",
        "app": {"name": "gpu-inference", "namespace": "gpu-inference"},
        "roles": {name: f"{ROLES}-{name}" for name in ("gpu-inference", "warmer")},
        "images": {
            "worker": "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/prod-tokyo/inference-worker:0.1.0",
            "cudaWorker": "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/prod-tokyo/inference-worker:0.1.0-cuda",
        },
        "servers": {"default": server("default", models=["resnet50", "yolo"])},
        "warmImages": [],
        "modelFolder": None,
        "nodeLocalDns": "169.254.20.10",
        "nodeGroups": groups or {},
        "jobs": jobs or {},
        "submit": False,
        "submitters": None,
        **changes,
    }


T4, A10G, SLICED = group("gpu-t4", "server"), group("gpu-a10g", "job"), group("gpu-sliced", "shared")
EVERYTHING = facts(
    {"gpu-t4": T4, "gpu-a10g": A10G, "gpu-reserve": group("gpu-reserve", "job"), "gpu-sliced": SLICED},
    {
        "beside-server": job("gpu-t4"),
        "nightly": job("gpu-a10g"),
        "thumbnails": job("gpu-sliced"),
        "weekly": job("gpu-a10g", nodeGroups=["gpu-a10g", "gpu-reserve"], schedule="0 3 * * 6", enough=60),
    },
)
OWN = {"command": ["/serve"], "port": 9000, "readyPath": "/ready", "livePath": "/live"}
SETS = facts(
    {
        "gpu-pair": group("gpu-pair", "server", gpusPerNode=4, cpuMilli=47000, servers=["default", "faces"]),
        "gpu-t4": T4,
        "gpu-slices": group("gpu-slices", "server", gpusPerNode=3, sharing="mps", servers=["default", "faces", "own"]),
    },
    {
        "beside-default": job("gpu-t4", model="resnet50"),
        "beside-faces": job("gpu-pair", nodeGroups=["gpu-pair", "gpu-slices"], server="faces", model="faces"),
        "beside-own": job("gpu-slices", server="own", model="cats"),
    },
    servers={
        "default": server("default", models=["resnet50"]),
        "faces": server("faces", models=["faces"], modelRepository="faces/models/", args=["--log-verbose=1"]),
        "own": server(
            "own", image="123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/cats:1", own=OWN, models=["cats"]
        ),
    },
)


def warm(cluster: Facts, **models: list[str]) -> Facts:
    """The same cluster, whose nodes keep models: by node group, with `_` for `-`."""
    folder = {"path": "/var/lib/inference-fleet/models", "nodes": {"inference-fleet/role": "gpu"}}
    size = {"limitMib": 61440, "cpuMilli": 20, "memoryMib": 256}
    groups = {
        name: {**each, "warm": {"models": models.get(name.replace("-", "_"), []), **size}}
        for name, each in cluster["nodeGroups"].items()
    }
    return {**cluster, "modelFolder": folder, "nodeGroups": groups}


WARM = warm(EVERYTHING, gpu_t4=["models/resnet50/", "models/yolo/"], gpu_a10g=["models/resnet50/1/model.onnx"])
CASES = {
    "nothing": facts(),
    "a job group without jobs": facts({"gpu-a10g": A10G}),
    "servers alone": facts({"gpu-t4": T4, "gpu-l4": group("gpu-l4", "server", gpusPerNode=4, cpuMilli=47000)}),
    "a job": facts({"gpu-a10g": A10G}, {"nightly": job("gpu-a10g")}),
    "a job on slices": facts({"gpu-sliced": SLICED}, {"thumbnails": job("gpu-sliced")}),
    "sets of models": SETS,
    "warm models": WARM,
    "warm sets": warm(SETS, gpu_t4=["models/resnet50/"]),
    "everything": EVERYTHING,
}


@cache
def sources() -> dict[str, str]:
    paths = [*APPS.glob("*/*.jsonnet"), *APPS.glob("*/*.libsonnet")]
    return {path.relative_to(APPS).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def load(folder: str, relative: str) -> tuple[str, str]:
    # rjsonnet names the working directory as the folder of a snippet.
    path = MAIN if relative == MAIN else posixpath.normpath(posixpath.join(folder, relative))
    return path, sources()[path]


def load_bytes(folder: str, relative: str) -> tuple[str, bytes]:
    path, text = load(folder, relative)
    return path, text.encode()


def render(cluster: Facts) -> list[Object]:
    found: list[Object] = json.loads(
        rjsonnet.evaluate_snippet(
            "test", f"import '{MAIN}'", tla_codes={"cluster": json.dumps(cluster)}, import_callback=load
        )
    )
    return found


def render_with_reference(cluster: Facts) -> Any:
    """C++ jsonnet: it keeps no field once evaluated, so that it takes a second for what rjsonnet does in 2 ms."""
    return json.loads(
        _jsonnet.evaluate_snippet(
            "test", f"import '{MAIN}'", tla_codes={"cluster": json.dumps(cluster)}, import_callback=load_bytes
        )
    )


def refusal(cluster: Facts) -> str:
    """The first line of what the engine says."""
    with pytest.raises(RuntimeError) as caught:
        render(cluster)
    return str(caught.value).strip().splitlines()[0]


def library(code: str) -> Any:
    """The value of a snippet that stands in `apps/lib/`."""
    return json.loads(rjsonnet.evaluate_snippet("test", code, import_callback=lambda _, path: load("lib", path)))


def names(objects: list[Object]) -> set[str]:
    return {f"{each['kind']}/{each['metadata']['name']}" for each in objects}


def of_kind(objects: list[Object], kind: str) -> list[Object]:
    return [each for each in objects if each["kind"] == kind]


def the(objects: list[Object], kind: str, name: str = "") -> Object:
    [found] = [each for each in of_kind(objects, kind) if each["metadata"]["name"].startswith(name)]
    return found


def pods(objects: list[Object]) -> list[Object]:
    return [spec["template"]["spec"] for spec in map(spec_of, objects) if "template" in spec]


def spec_of(each: Object) -> Object:
    """The spec of an object; of a CronJob, that of its Jobs."""
    spec: Object = each.get("spec", {})
    return spec["jobTemplate"]["spec"] if each["kind"] == "CronJob" else spec


def groups_of(pod: Object) -> set[str]:
    """Node groups that a pod may run on."""
    if "nodeSelector" in pod:
        return {pod["nodeSelector"]["inference-fleet/node-group"]}
    terms = pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    return {value for term in terms for each in term["matchExpressions"] for value in each["values"]}


def environment(container: Object) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container["env"] if "value" in each}


def gpus(pod: Object) -> int:
    return int(pod["containers"][0]["resources"]["limits"].get("nvidia.com/gpu", 0))


def mib(quantity: str) -> int:
    return int(quantity.removesuffix("Mi"))


def changed(path: str, value: Any) -> Facts:
    """EVERYTHING with another value at a dotted path."""
    cluster = copy.deepcopy(EVERYTHING)
    place, last = at(cluster, path)
    place[last] = value
    return cluster


def at(cluster: Facts, path: str) -> tuple[Facts, str]:
    *parents, last = path.split(".")
    for each in parents:
        cluster = cluster[each]
    return cluster, last
