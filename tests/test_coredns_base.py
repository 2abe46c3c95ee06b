from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import kubernetes_validate.utils
import pytest
import yaml

from generators.tools import kustomize
from tests.tool_needed import needed

Object = dict[str, Any]

BASE = Path(__file__).parents[1] / "apps" / "coredns" / "base"
SELECTOR = {"eks.amazonaws.com/component": "coredns", "k8s-app": "kube-dns"}
OBJECTS = {
    "cluster-role": "ClusterRole/system:coredns",
    "cluster-role-binding": "ClusterRoleBinding/system:coredns",
    "configmap": "ConfigMap/coredns",
    "deployment": "Deployment/coredns",
    "pod-disruption-budget": "PodDisruptionBudget/coredns",
    "service": "Service/kube-dns",
    "service-account": "ServiceAccount/coredns",
}
CLUSTER_SCOPED = {"ClusterRole", "ClusterRoleBinding"}


@cache
def written(stem: str) -> Object:
    [found] = yaml.safe_load_all((BASE / f"{stem}.yaml").read_text(encoding="utf-8"))
    return dict(found)


def pod() -> Object:
    return dict(written("deployment")["spec"]["template"]["spec"])


def container() -> Object:
    [found] = pod()["containers"]
    return dict(found)


def corefile() -> str:
    return re.sub(r"\s*#.*", "", written("configmap")["data"]["Corefile"])


def seconds(pattern: str) -> int:
    found = re.search(pattern, corefile())
    assert found, pattern
    return int(found[1])


def test_one_file_an_object_and_each_has_the_name_that_eks_gave_it() -> None:
    assert {path.stem for path in BASE.iterdir()} == {*OBJECTS, "kustomization"}
    for stem, name in OBJECTS.items():
        found = written(stem)
        assert f"{found['kind']}/{found['metadata']['name']}" == name
        expected = None if found["kind"] in CLUSTER_SCOPED else "kube-system"
        assert found["metadata"].get("namespace") == expected
    assert sorted(written("kustomization")["resources"]) == sorted(f"{stem}.yaml" for stem in OBJECTS)


def test_the_selectors_are_those_of_eks() -> None:
    spec = written("deployment")["spec"]
    assert spec["selector"] == {"matchLabels": SELECTOR}
    assert spec["template"]["metadata"] == {"labels": SELECTOR}
    assert written("pod-disruption-budget")["spec"]["selector"] == {"matchLabels": SELECTOR}
    assert written("service")["spec"]["selector"] == {"k8s-app": "kube-dns"}


def test_what_follows_from_the_cluster_is_left_to_its_overlay() -> None:
    assert "replicas" not in written("deployment")["spec"]
    assert not {"nodeSelector", "tolerations", "topologySpreadConstraints"} & pod().keys()
    assert container()["image"] == "coredns"
    assert "resources" not in container()
    assert "clusterIP" not in written("service")["spec"]


def test_coredns_runs_with_the_least_rights() -> None:
    context = pod()["securityContext"]
    assert context["runAsNonRoot"] is True
    assert (context["runAsUser"], context["runAsGroup"]) == (65532, 65532)
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    # The image's binary has no file capability: another user than root listens on port 53 by this alone.
    assert context["sysctls"] == [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "53"}]
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod().keys()
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]},
    }


def test_the_role_grants_what_the_corefile_needs_and_no_more() -> None:
    rules = written("cluster-role")["rules"]
    granted = {(group, name) for rule in rules for group in rule["apiGroups"] for name in rule["resources"]}
    needs_pods = "pods verified" in corefile() or "autopath" in corefile()
    assert granted == {("", "namespaces"), ("", "services"), ("discovery.k8s.io", "endpointslices")} | (
        {("", "pods")} if needs_pods else set()
    )
    assert all(rule["verbs"] == ["list", "watch"] for rule in rules)
    binding = written("cluster-role-binding")
    assert binding["roleRef"]["name"] == written("cluster-role")["metadata"]["name"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "coredns", "namespace": "kube-system"}]
    assert pod()["serviceAccountName"] == "coredns"


def test_no_roll_out_and_no_drain_takes_more_than_it_may() -> None:
    assert written("deployment")["spec"]["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0},
    }
    assert written("pod-disruption-budget")["spec"]["maxUnavailable"] == 1
    assert pod()["priorityClassName"] == "system-cluster-critical"
    assert pod()["terminationGracePeriodSeconds"] > seconds(r"lameduck (\d+)s") == 30


def test_the_corefile_has_every_plugin_that_it_must_have() -> None:
    for line in ("errors", "ready", "loop", "reload", "loadbalance", "prometheus :9153"):
        assert re.search(rf"^    {line}$", corefile(), re.MULTILINE), line
    assert "kubernetes cluster.local in-addr.arpa ip6.arpa {" in corefile()
    assert "forward . /etc/resolv.conf {" in corefile()
    assert pod()["dnsPolicy"] == "Default"
    assert seconds(r"max_concurrent (\d+)") <= 1024
    assert "prefetch " in corefile()
    # Only what the upstream does not answer: `immediate` would serve the old address of a database that failed over.
    assert re.search(r"serve_stale \w+ verify\b", corefile())


def test_the_corefile_and_the_ports_are_where_the_pod_looks_for_them() -> None:
    volumes = {each["name"]: each for each in pod()["volumes"]}
    [mount] = container()["volumeMounts"]
    config = volumes[mount["name"]]["configMap"]
    assert config["name"] == written("configmap")["metadata"]["name"]
    assert [each["key"] for each in config["items"]] == list(written("configmap")["data"])
    assert container()["args"] == ["-conf", f"{mount['mountPath']}/{config['items'][0]['path']}"]
    served = {(each["protocol"], each["targetPort"]) for each in written("service")["spec"]["ports"]}
    assert served == {(each["protocol"], each["containerPort"]) for each in container()["ports"]}
    assert {("UDP", 53), ("TCP", 53)} <= served
    assert container()["livenessProbe"]["httpGet"]["port"] == 8080
    assert container()["readinessProbe"]["httpGet"]["port"] == 8181


@pytest.fixture(scope="module")
def built() -> list[Object]:
    needed("kustomize")
    return list(yaml.safe_load_all(kustomize.build(BASE)))


def test_the_base_builds_alone_and_labels_no_selector(built: list[Object]) -> None:
    assert {f"{each['kind']}/{each['metadata']['name']}" for each in built} == set(OBJECTS.values())
    for each in built:
        assert (
            each["metadata"]["labels"].items()
            >= {
                "app.kubernetes.io/name": "coredns",
                "app.kubernetes.io/part-of": "inference-fleet",
                "app.kubernetes.io/managed-by": "argocd",
            }.items()
        )
    [deployment] = [each for each in built if each["kind"] == "Deployment"]
    assert deployment["spec"] == written("deployment")["spec"]
    [service] = [each for each in built if each["kind"] == "Service"]
    assert service["spec"] == written("service")["spec"]


@pytest.mark.parametrize("version", ["1.32", "1.33", "1.34", "1.35", "1.36"])
def test_every_object_is_valid(built: list[Object], version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubernetes_validate.utils, "schema_contents", schema_reader())
    for each in built:
        assert kubernetes_validate.validate(each, version, strict=True) == version


@cache
def schema_reader() -> Any:
    """Reads each schema once: the package reads over 1 MB for every object."""
    return cache(kubernetes_validate.utils.schema_contents)
