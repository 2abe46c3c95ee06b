"""What `apps/gpu-inference` makes of every kind of cluster: its objects, pods and policies."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import kubernetes_validate
import kubernetes_validate.utils
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gpu_inference import (
    CASES,
    EVERYTHING,
    SPOT_NOTICE_SECONDS,
    T4,
    VERSIONS,
    Facts,
    changed,
    environment,
    facts,
    gpus,
    group,
    groups_of,
    job,
    mib,
    names,
    of_kind,
    pods,
    render,
    render_with_reference,
    the,
)


@pytest.mark.parametrize("case", CASES)
def test_both_engines_agree(case: str) -> None:
    assert render(CASES[case]) == render_with_reference(CASES[case])


ALWAYS = {"ServiceAccount/gpu-inference", "ServiceAccount/warmer", "NetworkPolicy/default-deny"}
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
            | {"DaemonSet/server-gpu-t4", "Job/beside-server", "Job/nightly", "Job/thumbnails", "CronJob/weekly"},
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
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
        kinds = {kind for volume in pod["volumes"] for kind in volume if kind != "name"}
        assert kinds <= {"emptyDir", "persistentVolumeClaim"}
        assert pod["automountServiceAccountToken"] is False
        for container in [*pod["containers"], *pod.get("initContainers", [])]:
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
    account = the(objects, "ServiceAccount", "gpu-inference")
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
    assert set().union(*map(groups_of, found)) == set(tainted)
    for pod in found:
        for taint in taints:
            assert {**taint, "operator": "Equal"} in pod["tolerations"]
        assert len(pod["tolerations"]) == len(taints)


SHAPES = st.fixed_dictionaries({
    "mode": st.sampled_from(["server", "job", "shared"]),
    "gpusPerNode": st.sampled_from([1, 2, 4, 8]),
    "cpuMilli": st.integers(3_000, 190_000),
    "memoryMib": st.integers(12_000, 2_000_000),
})  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(shape=SHAPES, slices=st.integers(2, 16), shards=st.integers(40, 100_000))
def test_the_pods_of_a_node_fit_it(shape: Facts, slices: int, shards: int) -> None:
    shape = {**shape, "gpusPerNode": shape["gpusPerNode"] * (slices if shape["mode"] == "shared" else 1)}
    node = group("gpu", **shape)
    objects = render(facts({"gpu": node}, {"batch": job("gpu", shards=shards)}))
    slots = node["gpusPerNode"]
    [worker] = pods(of_kind(objects, "Job"))
    on_node = [*pods(of_kind(objects, "DaemonSet")), *[worker] * (1 if node["mode"] == "server" else slots)]
    requests = [pod["containers"][0]["resources"]["requests"] for pod in on_node]
    assert 0 < sum(mib(each["memory"]) for each in requests) <= node["memoryMib"]
    assert 0 < sum(int(each["cpu"].removesuffix("m")) for each in requests) <= node["cpuMilli"]
    assert sum(gpus(pod) for pod in on_node) == slots


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


def test_the_server_loads_its_models_once_and_is_ready_with_them_all() -> None:
    server = the(render(EVERYTHING), "DaemonSet")
    [container] = server["spec"]["template"]["spec"]["containers"]
    assert f"--model-repository=s3://{EVERYTHING['bucket']}/models" in container["args"]
    assert [each for each in container["args"] if each.startswith("--load-model=")] == [
        "--load-model=resnet50",
        "--load-model=yolo",
    ]
    assert {"--model-control-mode=explicit", "--strict-readiness=true"} <= set(container["args"])
    assert "--exit-on-error=true" in container["args"]  # or it would stand without models for a quarter of an hour
    everything = the(render(changed("servers.default.models", [])), "DaemonSet")
    [container_of_all] = everything["spec"]["template"]["spec"]["containers"]
    assert "--load-model=*" in container_of_all["args"]
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
    assert int(port) == 8000  # the worker speaks HTTP
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
