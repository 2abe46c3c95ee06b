"""Kustomize overlays: patches over `apps/<app>/base` that carry this cluster's facts. One function an app."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from generators.model import names, sizing
from generators.model.catalog import Inputs
from generators.renderers import kubeflow_pipelines

Tree = dict[str, object]
DNS_SELECTOR = {"k8s-app": "kube-dns"}


@dataclass(frozen=True)
class Overlay:
    """What a cluster adds to an app's base. Patches by file name."""

    patches: Tree = field(default_factory=dict)
    """Each over the object that it names."""
    of_kind: Tree = field(default_factory=dict)
    """Each over every object of its kind."""
    components: list[str] = field(default_factory=list)
    """Folders of optional parts, from the overlay's own."""


def render(inputs: Inputs) -> Tree:
    """`overlays/<app>/`: a kustomization.yaml and its patches."""
    tree: Tree = {}
    for name, app in inputs.apps().items():
        if app.kind == "kustomize":
            overlay = OVERLAYS[name](inputs) if name in OVERLAYS else Overlay()
            tree[f"overlays/{name}/kustomization.yaml"] = _kustomization(name, overlay)
            files = {**overlay.patches, **overlay.of_kind}
            tree |= {f"overlays/{name}/{path}": document for path, document in files.items()}
    return tree


def _kustomization(name: str, overlay: Overlay) -> Tree:
    patches: list[Tree] = [{"path": path} for path in sorted(overlay.patches)]
    for path, document in sorted(overlay.of_kind.items()):
        assert isinstance(document, dict)  # noqa: S101 (an object of Kubernetes)
        patches.append({"path": path, "target": {"kind": document["kind"]}})
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [f"../../../../../apps/{name}/base"],
        **({"components": overlay.components} if overlay.components else {}),
        **({"patches": patches} if patches else {}),
    }


def _coredns(inputs: Inputs) -> Overlay:
    return Overlay({"deployment.yaml": _coredns_deployment(inputs), "service.yaml": _coredns_service(inputs)})


def _kubeflow_pipelines(inputs: Inputs) -> Overlay:
    return Overlay(
        kubeflow_pipelines.patches(inputs), kubeflow_pipelines.placement(), kubeflow_pipelines.components(inputs)
    )


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


OVERLAYS: dict[str, Callable[[Inputs], Overlay]] = {
    "coredns": _coredns,
    "kubeflow-pipelines": _kubeflow_pipelines,
}
