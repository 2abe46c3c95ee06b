"""Helm values: this cluster's facts in each chart's language. One function a chart that needs any."""

from __future__ import annotations

from collections.abc import Callable

from generators.model import names
from generators.model.apps import ClusterAutoscalerSettings
from generators.model.catalog import Inputs
from generators.model.identities import WorkloadIdentity, identities
from generators.model.managed_groups import ManagedGroup, managed_groups

Values = dict[str, object]
SYSTEM_TOLERATION = {"key": names.SYSTEM_TAINT["key"], "operator": "Exists"}
SPOT_PRIORITY, ON_DEMAND_PRIORITY = 50, 10
"""cluster-autoscaler's priority expander takes the highest that can scale up."""


def render(inputs: Inputs) -> dict[str, object]:
    """`values/<app>.yaml` for each helm app with facts of the cluster."""
    return {f"values/{name}.yaml": facts for name in inputs.apps() if (facts := _facts(inputs, name))}


def has_facts(inputs: Inputs, name: str) -> bool:
    """Whether `values/<app>.yaml` exists."""
    app = inputs.catalog.apps[name]
    return app.kind == "helm" and (name in CHARTS or bool(app.identities))


def _facts(inputs: Inputs, name: str) -> Values:
    if not has_facts(inputs, name):
        return {}
    facts: Values = CHARTS[name](inputs) if name in CHARTS else {}
    for identity in identities(inputs):
        if identity.app == name:
            _put(facts, identity.values_path, _service_account(identity))
    return facts


def _service_account(identity: WorkloadIdentity) -> Values:
    """The name is written out: a chart's own default would not be the one that the role trusts."""
    return {"create": True, "name": identity.service_account, "annotations": identity.annotations}


def _put(values: Values, path: str, value: Values) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        values = values.setdefault(parent, {})  # type: ignore[assignment]
    values[last] = value


def _argo_cd(inputs: Inputs) -> Values:
    cluster, app = inputs.cluster, inputs.catalog.apps["argo-cd"]
    memory = _argo_cd_memory(sum(group.max for group in cluster.node_groups.values()))
    return {
        "global": {
            **({"domain": names.ui_host(cluster, app.ui)} if app.ui else {}),
            "nodeSelector": {names.ROLE_LABEL: "system"},
            "tolerations": [SYSTEM_TOLERATION],
        },
        "controller": {"resources": {"requests": {"cpu": "250m", "memory": memory}, "limits": {"memory": memory}}},
        "server": {"service": {"type": "NodePort", "nodePortHttp": app.ui.node_port}} if app.ui else {},
    }


def _argo_cd_memory(nodes: int) -> str:
    """It keeps the cluster's objects: 512 MiB and 2 MiB a node, in steps of 256 MiB (our own estimate)."""
    return f"{512 + -(-2 * nodes // 256) * 256}Mi"


def _cluster_autoscaler(inputs: Inputs) -> Values:
    cluster = inputs.cluster
    settings = cluster.apps.cluster_autoscaler or ClusterAutoscalerSettings()
    nodes = sum(group.max for group in cluster.node_groups.values())
    return {
        "fullnameOverride": "cluster-autoscaler",
        "awsRegion": cluster.region,
        "autoDiscovery": {"clusterName": cluster.name},
        "image": {"tag": inputs.catalog.minors[cluster.kubernetes].cluster_autoscaler},
        "extraArgs": {"scale-down-unneeded-time": settings.scale_down_unneeded},
        "expanderPriorities": _priorities(managed_groups(cluster)),
        "nodeSelector": {names.ROLE_LABEL: "system"},
        "tolerations": [SYSTEM_TOLERATION],
        "topologySpreadConstraints": [_spread("cluster-autoscaler")],
        "resources": _autoscaler_resources(nodes),
    }


def _priorities(groups: list[ManagedGroup]) -> dict[str, list[str]]:
    """Spot first; on-demand when no spot group can grow."""
    found: dict[str, list[str]] = {}
    for each in groups:
        priority = SPOT_PRIORITY if each.group.capacity == "spot" else ON_DEMAND_PRIORITY
        found.setdefault(str(priority), []).append(names.asg_pattern(each.key))
    return dict(sorted(found.items()))


def _autoscaler_resources(nodes: int) -> Values:
    """Memory grows with nodes and their pods: 300 MiB and 1 MiB a node, in steps of 100 MiB (our own estimate)."""
    memory = f"{300 + -(-nodes // 100) * 100}Mi"
    return {"requests": {"cpu": "100m", "memory": memory}, "limits": {"memory": memory}}


def _spread(instance: str) -> Values:
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app.kubernetes.io/instance": instance}},
    }


def _node_local_dns(inputs: Inputs) -> Values:
    return {"config": {"dnsServer": names.cluster_dns(inputs.cluster), "localDns": names.NODE_LOCAL_DNS}}


def _nvidia_device_plugin(inputs: Inputs) -> Values:
    groups = [group for group in inputs.cluster.node_groups.values() if group.gpu]
    taints = {taint["key"] for group in groups for taint in names.node_taints(group)}
    whole = {"whole": "version: v1\n"}
    sliced = {
        names.plugin_config(each.gpu): _time_slicing(each.gpu.slices) for each in groups if each.gpu and each.gpu.slices
    }
    return {
        "config": {"default": "whole", "map": {**whole, **dict(sorted(sliced.items()))}},
        "nodeSelector": {names.GPU_PRESENT_LABEL: "true"},
        "tolerations": [{"key": key, "operator": "Exists"} for key in sorted(taints)],
    }


def _time_slicing(slices: int) -> str:
    """The plugin's own configuration file: each GPU counts as so many."""
    resource = f"      - name: nvidia.com/gpu\n        replicas: {slices}\n"
    return f"version: v1\nsharing:\n  timeSlicing:\n    resources:\n{resource}"


CHARTS: dict[str, Callable[[Inputs], Values]] = {
    "argo-cd": _argo_cd,
    "cluster-autoscaler": _cluster_autoscaler,
    "node-local-dns": _node_local_dns,
    "nvidia-device-plugin": _nvidia_device_plugin,
}
