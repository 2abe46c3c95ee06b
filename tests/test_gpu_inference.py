from __future__ import annotations

import copy
import json
import posixpath
import re
from functools import cache
from pathlib import Path
from typing import Any

import _jsonnet
import kubernetes_validate
import kubernetes_validate.utils
import pytest
import rjsonnet
from hypothesis import given, settings
from hypothesis import strategies as st

Facts = dict[str, Any]
Object = dict[str, Any]

APPS = Path(__file__).parents[1] / "apps"
MAIN = "gpu-inference/main.jsonnet"
SPOT_NOTICE_SECONDS = 120
VERSIONS = ("1.32", "1.33", "1.34", "1.35", "1.36")


def group(name: str, mode: str, **changes: Any) -> Facts:
    return {
        "mode": mode,
        "slices": 4 if mode == "shared" else None,
        "gpusPerNode": 1,
        "max": 60,
        "vcpu": 4,
        "memoryMib": 16384,
        "gpuMemoryMib": 16384,
        "selector": {"inference-fleet/node-group": name},
        "taints": [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}],
        **changes,
    }


def job(node_group: str, **changes: Any) -> Facts:
    return {
        "nodeGroup": node_group,
        "input": "movies/",
        "output": "results/",
        "shards": 64,
        "parallelism": 40,
        **changes,
    }


def facts(groups: Facts | None = None, jobs: Facts | None = None, **changes: Any) -> Facts:
    return {
        "name": "prod-tokyo",
        "region": "ap-northeast-1",
        "environment": "production",
        "bucket": "prod-tokyo-123456789012-ap-northeast-1",
        "app": {"name": "gpu-inference", "namespace": "gpu-inference"},
        "roles": {"gpu-inference": "arn:aws:iam::123456789012:role/prod-tokyo-gpu-inference-gpu-inference"},
        "images": {
            "server": "nvcr.io/nvidia/tritonserver:25.08-py3",
            "worker": "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/inference-worker:0.1.0",
        },
        "modelRepository": "models/",
        "nodeGroups": groups or {},
        "jobs": jobs or {},
        **changes,
    }


T4, A10G, SLICED = group("gpu-t4", "server"), group("gpu-a10g", "job"), group("gpu-sliced", "shared")
EVERYTHING = facts(
    {"gpu-t4": T4, "gpu-a10g": A10G, "gpu-sliced": SLICED},
    {"beside-server": job("gpu-t4"), "nightly": job("gpu-a10g"), "thumbnails": job("gpu-sliced")},
)
CASES = {
    "nothing": facts(),
    "a job group without jobs": facts({"gpu-a10g": A10G}),
    "servers alone": facts({"gpu-t4": T4, "gpu-l4": group("gpu-l4", "server", gpusPerNode=4, vcpu=48)}),
    "a job": facts({"gpu-a10g": A10G}, {"nightly": job("gpu-a10g")}),
    "a job on slices": facts({"gpu-sliced": SLICED}, {"thumbnails": job("gpu-sliced")}),
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
    return [each["spec"]["template"]["spec"] for each in objects if "template" in each.get("spec", {})]


def environment(container: Object) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container["env"]}


def gpus(pod: Object) -> int:
    return int(pod["containers"][0]["resources"]["limits"].get("nvidia.com/gpu", 0))


def mib(quantity: str) -> int:
    return int(quantity.removesuffix("Mi"))


@pytest.mark.parametrize("case", CASES)
def test_both_engines_agree(case: str) -> None:
    assert render(CASES[case]) == render_with_reference(CASES[case])


ALWAYS = {"ServiceAccount/gpu-inference", "NetworkPolicy/default-deny"}
SERVERS = {"PriorityClass/gpu-inference-server", "Service/server", "NetworkPolicy/server"}
WORKERS = {"PriorityClass/gpu-inference-worker", "NetworkPolicy/worker"}


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("nothing", ALWAYS),
        ("a job group without jobs", ALWAYS),
        ("servers alone", ALWAYS | SERVERS | {"DaemonSet/server-gpu-t4", "DaemonSet/server-gpu-l4"}),
        ("a job", ALWAYS | WORKERS | {"Job/nightly"}),
        ("a job on slices", ALWAYS | WORKERS | {"Job/thumbnails"}),
        (
            "everything",
            ALWAYS
            | SERVERS
            | WORKERS
            | {"DaemonSet/server-gpu-t4", "Job/beside-server", "Job/nightly", "Job/thumbnails"},
        ),
    ],
)
def test_holds_what_is_needed_and_no_more(case: str, expected: set[str]) -> None:
    found = names(render(CASES[case]))
    assert {re.sub(r"^(Job/.*)-[0-9a-f]{8}$", r"\1", name) for name in found} == expected


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", CASES)
def test_every_object_is_valid(case: str, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubernetes_validate.utils, "schema_contents", schema_reader())
    for each in render(CASES[case]):
        assert kubernetes_validate.validate(each, version, strict=True) == version
        assert "null" not in json.dumps(each), each


@cache
def schema_reader() -> Any:
    """Reads each schema once: the package reads over 1 MB for every object."""
    return cache(kubernetes_validate.utils.schema_contents)


def test_labels_are_the_recommended_ones_and_selectors_are_few() -> None:
    recommended = {f"app.kubernetes.io/{key}" for key in ("name", "component", "part-of", "managed-by")}
    objects = render(EVERYTHING)
    for each in objects:
        assert recommended <= each["metadata"]["labels"].keys()
    server = the(objects, "DaemonSet")
    assert server["spec"]["selector"]["matchLabels"] == {
        "app.kubernetes.io/name": "gpu-inference",
        "app.kubernetes.io/component": "server",
        "inference-fleet/node-group": "gpu-t4",
    }
    assert server["spec"]["selector"]["matchLabels"].items() <= server["spec"]["template"]["metadata"]["labels"].items()


def test_cluster_scoped_objects_come_before_the_pods_that_name_them() -> None:
    objects = render(EVERYTHING)
    unscoped = [each for each in objects if "namespace" not in each["metadata"]]
    assert {each["kind"] for each in unscoped} == {"PriorityClass"}
    assert all(each["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] == "-1" for each in unscoped)
    assert {pod["priorityClassName"] for pod in pods(objects)} == {each["metadata"]["name"] for each in unscoped}
    server, worker = (the(unscoped, "PriorityClass", f"gpu-inference-{name}") for name in ("server", "worker"))
    assert server["value"] > worker["value"] >= 0  # below -10, cluster-autoscaler adds no node for a pod
    assert worker["preemptionPolicy"] == "Never"


@pytest.mark.parametrize("case", CASES)
def test_every_pod_is_restricted(case: str) -> None:
    for pod in pods(render(CASES[case])):
        context = pod["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["runAsUser"] > 0
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & pod.keys()
        assert all(set(volume) == {"name", "emptyDir"} for volume in pod["volumes"])
        assert pod["automountServiceAccountToken"] is False
        [container] = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert not any("hostPort" in port for port in container.get("ports", []))


def test_every_pod_can_write_where_it_must() -> None:
    for pod in pods(render(EVERYTHING)):
        [container] = pod["containers"]
        mounts = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
        volumes = {each["name"]: each["emptyDir"] for each in pod["volumes"]}
        assert mib(volumes[mounts["/tmp"]]["sizeLimit"]) > 0  # noqa: S108
        shm = volumes[mounts["/dev/shm"]]  # noqa: S108
        assert shm["medium"] == "Memory"
        assert mib(shm["sizeLimit"]) < mib(container["resources"]["limits"]["memory"]) / 2
        assert environment(container)["HOME"] == "/tmp"  # noqa: S108


def test_every_pod_speaks_to_aws_as_itself() -> None:
    objects = render(EVERYTHING)
    account = the(objects, "ServiceAccount")
    assert account["metadata"]["annotations"] == {
        "eks.amazonaws.com/role-arn": EVERYTHING["roles"]["gpu-inference"],
        "eks.amazonaws.com/sts-regional-endpoints": "true",
    }
    for pod in pods(objects):
        assert pod["serviceAccountName"] == account["metadata"]["name"]
        assert (
            environment(pod["containers"][0]).items()
            >= {
                "AWS_REGION": "ap-northeast-1",
                "AWS_DEFAULT_REGION": "ap-northeast-1",
                "AWS_STS_REGIONAL_ENDPOINTS": "regional",
                "AWS_RETRY_MODE": "adaptive",
                "AWS_MAX_ATTEMPTS": "10",
                "AWS_EC2_METADATA_DISABLED": "true",
            }.items()
        )


def test_every_pod_is_gone_before_its_spot_node() -> None:
    for pod in pods(render(EVERYTHING)):
        assert 30 < pod["terminationGracePeriodSeconds"] < SPOT_NOTICE_SECONDS
        assert pod["dnsConfig"] == {"options": [{"name": "ndots", "value": "2"}]}


def test_every_pod_goes_to_its_node_group_through_all_its_taints() -> None:
    taints = [*T4["taints"], {"key": "team", "value": "", "effect": "NoExecute"}]
    tainted = {name: {**each, "taints": taints} for name, each in EVERYTHING["nodeGroups"].items()}
    found = pods(render({**EVERYTHING, "nodeGroups": tainted}))
    assert {pod["nodeSelector"]["inference-fleet/node-group"] for pod in found} == set(tainted)
    for pod in found:
        for taint in taints:
            assert {**taint, "operator": "Equal"} in pod["tolerations"]
        assert len(pod["tolerations"]) == len(taints)


SHAPES = st.fixed_dictionaries({
    "mode": st.sampled_from(["server", "job", "shared"]),
    "slices": st.integers(2, 16),
    "gpusPerNode": st.sampled_from([1, 2, 4, 8]),
    "vcpu": st.integers(4, 192),
    "memoryMib": st.integers(16_000, 2_000_000),
})  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(shape=SHAPES, shards=st.integers(1, 100_000))
def test_the_pods_of_a_node_fit_it_and_leave_room(shape: Facts, shards: int) -> None:
    node = group("gpu", **shape)
    objects = render(facts({"gpu": node}, {"batch": job("gpu", shards=shards)}))
    slots = node["gpusPerNode"] * (node["slices"] if node["mode"] == "shared" else 1)
    [worker] = pods(of_kind(objects, "Job"))
    on_node = [*pods(of_kind(objects, "DaemonSet")), *[worker] * (1 if node["mode"] == "server" else slots)]
    requests = [pod["containers"][0]["resources"]["requests"] for pod in on_node]
    assert 0 < sum(mib(each["memory"]) for each in requests) <= node["memoryMib"] * 0.8
    assert 0 < sum(int(each["cpu"].removesuffix("m")) for each in requests) <= (node["vcpu"] - 1) * 1000
    assert sum(gpus(pod) for pod in on_node) == slots
    policy = the(objects, "Job")["spec"]
    assert 1 <= policy["maxFailedIndexes"] <= max(1, shards)


def test_requests_and_limits_agree_but_for_the_processor() -> None:
    for pod in pods(render(EVERYTHING)):
        resources = pod["containers"][0]["resources"]
        assert {key: value for key, value in resources["requests"].items() if key != "cpu"} == resources["limits"]
        # Cluster-autoscaler knows of no ephemeral storage on a node group that stands at zero.
        assert "ephemeral-storage" not in resources["requests"]


def test_the_server_holds_all_gpus_of_its_node() -> None:
    objects = render(CASES["servers alone"])
    assert {
        each["metadata"]["name"]: gpus(each["spec"]["template"]["spec"]) for each in of_kind(objects, "DaemonSet")
    } == {
        "server-gpu-t4": 1,
        "server-gpu-l4": 4,
    }


def test_the_server_polls_its_models_and_is_probed() -> None:
    server = the(render(EVERYTHING), "DaemonSet")
    [container] = server["spec"]["template"]["spec"]["containers"]
    assert f"--model-repository=s3://{EVERYTHING['bucket']}/models" in container["args"]
    assert container["readinessProbe"]["httpGet"] == {"path": "/v2/health/ready", "port": "http"}
    assert container["livenessProbe"]["httpGet"]["path"] == "/v2/health/live"
    assert container["startupProbe"]["failureThreshold"] * container["startupProbe"]["periodSeconds"] == 900
    assert server["spec"]["updateStrategy"]["rollingUpdate"] == {"maxUnavailable": "10%"}


def test_the_server_ends_within_its_grace_period() -> None:
    pod = the(render(EVERYTHING), "DaemonSet")["spec"]["template"]["spec"]
    [container] = pod["containers"]
    [wait] = [each for each in container["args"] if each.startswith("--exit-timeout-secs=")]
    needed = container["lifecycle"]["preStop"]["sleep"]["seconds"] + int(wait.partition("=")[2])
    assert needed < pod["terminationGracePeriodSeconds"]


def test_a_worker_beside_the_server_finds_it_and_takes_no_gpu() -> None:
    objects = render(EVERYTHING)
    service = the(objects, "Service")
    server = the(objects, "DaemonSet")["spec"]["template"]
    assert service["spec"]["internalTrafficPolicy"] == "Local"
    assert service["spec"]["selector"].items() <= server["metadata"]["labels"].items()
    assert {each["targetPort"] for each in service["spec"]["ports"]} <= {
        each["containerPort"] for each in server["spec"]["containers"][0]["ports"]
    }
    worker = the(objects, "Job", "beside-server")["spec"]["template"]["spec"]
    host, port = environment(worker["containers"][0])["INFERENCE_SERVER"].split(":")
    assert host == f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc.cluster.local"
    assert int(port) in {each["port"] for each in service["spec"]["ports"]}
    assert gpus(worker) == 0
    assert environment(worker["containers"][0])["NVIDIA_VISIBLE_DEVICES"] == "void"


def test_network_policies_deny_all_but_what_is_needed() -> None:
    objects = render(EVERYTHING)
    policies = {each["metadata"]["name"]: each["spec"] for each in of_kind(objects, "NetworkPolicy")}
    assert policies["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    [entrance] = policies["server"]["ingress"]
    assert entrance["from"] == [{"podSelector": policies["worker"]["podSelector"]}]
    served = {each["port"] for each in the(objects, "Service")["spec"]["ports"]}
    assert {each["port"] for each in entrance["ports"]} == served
    assert "ingress" not in policies["worker"]
    assert {each["port"] for rule in policies["server"]["egress"] for each in rule["ports"]} == {53, 443}
    assert {each["port"] for rule in policies["worker"]["egress"] for each in rule["ports"]} == {53, 443} | served
    for policy in (policies["server"], policies["worker"]):
        assert policy["policyTypes"] == ["Ingress", "Egress"]
        names_rule, web_rule = policy["egress"][:2]
        assert {(each["protocol"], each["port"]) for each in names_rule["ports"]} == {("UDP", 53), ("TCP", 53)}
        assert {"ipBlock": {"cidr": "169.254.20.10/32"}} in names_rule["to"]
        assert web_rule["ports"] == [{"protocol": "TCP", "port": 443}]


def test_a_job_asks_for_one_gpu_or_one_slice_and_knows_its_part_of_the_memory() -> None:
    objects = render(EVERYTHING)
    for name, memory in (("nightly", "16384"), ("thumbnails", "4096")):
        worker = the(objects, "Job", name)["spec"]["template"]["spec"]
        assert gpus(worker) == 1
        assert environment(worker["containers"][0])["INFERENCE_GPU_MEMORY_MIB"] == memory


def test_a_job_outlives_spot_nodes_and_gives_up_on_bad_input() -> None:
    found = the(render(EVERYTHING), "Job", "nightly")
    spec = found["spec"]
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 64, 40)
    assert (spec["backoffLimitPerIndex"], spec["maxFailedIndexes"]) == (3, 7)
    assert "ttlSecondsAfterFinished" not in spec
    ignored, bad_input = spec["podFailurePolicy"]["rules"]
    assert ignored == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    [container] = spec["template"]["spec"]["containers"]
    assert bad_input == {
        "action": "FailIndex",
        "onExitCodes": {"containerName": container["name"], "operator": "In", "values": [65]},
    }
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    annotations = spec["template"]["metadata"]["annotations"]
    assert annotations == {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}
    assert container["command"] == ["python", "-m", "worker", "run"]
    assert (
        environment(container).items()
        >= {
            "INFERENCE_BUCKET": EVERYTHING["bucket"],
            "INFERENCE_INPUT": "movies/",
            "INFERENCE_OUTPUT": "results/",
            "INFERENCE_SHARDS": "64",
        }.items()
    )


def job_name(cluster: Facts, name: str = "nightly") -> str:
    return str(the(render(cluster), "Job", name)["metadata"]["name"])


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


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("jobs.nightly.input", "films/"),
        ("jobs.nightly.output", "elsewhere/"),
        ("jobs.nightly.shards", 65),
        ("jobs.nightly.nodeGroup", "gpu-sliced"),
        ("images.worker", "registry/inference-worker:0.2.0"),
        ("bucket", "another"),
        ("region", "us-east-1"),
        ("nodeGroups.gpu-a10g.memoryMib", 32768),
        ("nodeGroups.gpu-a10g.taints", []),
    ],
)
def test_a_jobs_name_changes_with_what_cannot_be_changed_in_place(path: str, value: Any) -> None:
    assert job_name(changed(path, value)) != job_name(EVERYTHING)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("jobs.nightly.parallelism", 8),
        ("jobs.thumbnails.shards", 3),
        ("images.server", "nvcr.io/nvidia/tritonserver:25.09-py3"),
        ("modelRepository", "other/"),
        ("nodeGroups.gpu-a10g.max", 2),
        ("nodeGroups.gpu-t4.vcpu", 8),
        ("name", "other"),
        ("environment", "staging"),
        ("roles.gpu-inference", "arn:aws:iam::123456789012:role/other"),
    ],
)
def test_a_jobs_name_does_not_change_with_anything_else(path: str, value: Any) -> None:
    assert job_name(changed(path, value)) == job_name(EVERYTHING)


def test_jobs_with_one_spec_have_names_of_their_own() -> None:
    twins = facts({"gpu-a10g": A10G}, {"one": job("gpu-a10g"), "two": job("gpu-a10g")})
    assert len(names(of_kind(render(twins), "Job"))) == 2


def test_the_longest_name_still_makes_host_names() -> None:
    longest = "j" * 40
    found = the(render(facts({"gpu": A10G}, {longest: job("gpu", shards=100_000)})), "Job")
    assert len(f"{found['metadata']['name']}-99999") <= 63


REQUIRED = [
    *[key for key in EVERYTHING if key not in {"name", "environment"}],
    *[f"{key}.{inner}" for key in ("app", "images", "roles") for inner in EVERYTHING[key]],
    *[f"nodeGroups.gpu-sliced.{key}" for key in SLICED if key != "max"],
    *[f"jobs.nightly.{key}" for key in EVERYTHING["jobs"]["nightly"]],
]


@pytest.mark.parametrize("path", REQUIRED)
def test_a_missing_fact_is_named(path: str) -> None:
    cluster = copy.deepcopy(EVERYTHING)
    place, last = at(cluster, path)
    del place[last]
    assert f"{path.rpartition('.')[0] or 'cluster'}: `{last}` is required" in refusal(cluster)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("nodeGroups.gpu-t4.mode", "rented", "nodeGroups.gpu-t4: `mode` is `rented`"),
        ("jobs.nightly.nodeGroup", "workers", "jobs.nightly: `nodeGroup` is `workers`, which has no GPU"),
        ("roles.gpu-inference", "prod-tokyo-gpu", "`prod-tokyo-gpu` is not the ARN of an IAM role"),
    ],
)
def test_a_wrong_fact_is_named(path: str, value: str, words: str) -> None:
    assert words in refusal(changed(path, value))


@pytest.mark.parametrize(
    ("constructor", "required"),
    [
        ("ServiceAccount", ["labels", "name", "namespace"]),
        ("PriorityClass", ["description", "labels", "name", "value"]),
        ("Service", ["labels", "name", "namespace", "ports", "selector"]),
        ("NetworkPolicy", ["labels", "name", "namespace", "podSelector"]),
        ("DaemonSet", ["labels", "maxUnavailable", "name", "namespace", "selector", "template"]),
        ("Job", ["labels", "name", "namespace", "spec"]),
    ],
)
def test_a_constructor_names_the_parameter_that_is_missing(constructor: str, required: list[str]) -> None:
    given_all: Facts = {key: {} for key in required} | {"name": "x", "spec": {"completions": 1}}
    for missing in required:
        rest = json.dumps({key: value for key, value in given_all.items() if key != missing})
        code = f"(import 'kube.libsonnet').{constructor}({rest})"
        with pytest.raises(RuntimeError, match=f"{constructor}: `{missing}` is required"):
            library(code)


def test_a_job_whose_host_names_would_be_too_long_is_refused() -> None:
    code = "(import 'kube.libsonnet').Job({name: '%s', namespace: 'n', labels: {}, spec: {completions: 1}})"
    assert library(code % ("n" * 61))["metadata"]["name"]
    with pytest.raises(RuntimeError, match="makes host names of 64 characters; 63 is the most"):
        library(code % ("n" * 62))


def test_the_hash_is_of_the_value_and_not_of_its_writing() -> None:
    hashes = library("local h = import 'hash.libsonnet'; [h({a: 1, b: [2]}), h({b: [2], a: 0 + 1}), h({a: 1})]")
    assert re.fullmatch("[0-9a-f]{8}", hashes[0])
    assert hashes[0] == hashes[1] != hashes[2]
