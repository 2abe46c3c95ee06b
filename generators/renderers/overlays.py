"""Kustomize overlays: patches over `apps/<app>/base` that carry this cluster's facts. One function an app."""

from __future__ import annotations

from collections.abc import Callable

from generators.model import names, sizing
from generators.model.catalog import Inputs

Tree = dict[str, object]
DNS_SELECTOR = {"k8s-app": "kube-dns"}


def render(inputs: Inputs) -> Tree:
    """`overlays/<app>/`: a kustomization.yaml and its patches."""
    tree: Tree = {}
    for name, app in inputs.apps().items():
        if app.kind == "kustomize":
            files = OVERLAYS[name](inputs) if name in OVERLAYS else {}
            patches = sorted(path for path in files if path != "kustomization.yaml")
            tree[f"overlays/{name}/kustomization.yaml"] = {
                "apiVersion": "kustomize.config.k8s.io/v1beta1",
                "kind": "Kustomization",
                "resources": [f"../../../../../apps/{name}/base"],
                **({"patches": [{"path": path} for path in patches]} if patches else {}),
            }
            tree |= {f"overlays/{name}/{path}": document for path, document in files.items()}
    return tree


def _coredns(inputs: Inputs) -> Tree:
    return {"deployment.yaml": _coredns_deployment(inputs), "service.yaml": _coredns_service(inputs)}


def _coredns_deployment(inputs: Inputs) -> Tree:
    dns = sizing.dns(inputs)
    container = {
        "name": "coredns",
        "image": names.coredns_image(inputs),
        "resources": {
            "requests": {"cpu": f"{dns.cpu_request_milli}m", "memory": f"{dns.memory_request_mib}Mi"},
            "limits": {"memory": f"{dns.memory_limit_mib}Mi"},
        },
    }
    pod = {
        "nodeSelector": {names.ROLE_LABEL: "system"},
        "tolerations": [{"key": names.SYSTEM_TAINT["key"], "operator": "Exists"}],
        "topologySpreadConstraints": [
            # A lost zone must not stop its replicas from starting in the others.
            _spread("topology.kubernetes.io/zone", "ScheduleAnyway"),
            # Each interface has its own packet limit to the VPC resolver: no two replicas share one without need.
            _spread("kubernetes.io/hostname", "DoNotSchedule"),
        ],
        "containers": [container],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "coredns", "namespace": "kube-system"},
        "spec": {"replicas": dns.replicas, "template": {"spec": pod}},
    }


def _spread(key: str, otherwise: str) -> Tree:
    return {
        "maxSkew": 1,
        "topologyKey": key,
        "whenUnsatisfiable": otherwise,
        "labelSelector": {"matchLabels": DNS_SELECTOR},
        "matchLabelKeys": ["pod-template-hash"],
        # A cordoned node takes no replica, so it must not count as one that has none.
        "nodeTaintsPolicy": "Honor",
    }


def _coredns_service(inputs: Inputs) -> Tree:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "kube-dns", "namespace": "kube-system"},
        "spec": {"clusterIP": names.cluster_dns(inputs.cluster)},
    }


OVERLAYS: dict[str, Callable[[Inputs], Tree]] = {"coredns": _coredns}
