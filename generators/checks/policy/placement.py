"""Where pods run: on node groups that exist, whose taints they tolerate, and not all on one node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from generators.checks.policy import nodes
from generators.checks.policy.facts import ANY, Nodes
from generators.checks.policy.objects import Object, Pod, at, items, mapping, selects
from generators.checks.policy.rule import Scene
from generators.model import names
from generators.model.base import Finding, did_you_mean

SYSTEM_NAMESPACE = "kube-system"
SYSTEM_CLASSES = ("system-cluster-critical", "system-node-critical")
OF_KUBERNETES = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/")
"""Prefixes of the taints that Kubernetes sets on nodes itself (kubernetes.io, labels-annotations-taints)."""
OF_CONTROLLERS = frozenset(
    {
        "DeletionCandidateOfClusterAutoscaler",
        "ToBeDeletedByClusterAutoscaler",
        "ebs.csi.aws.com/agent-not-ready",
    }
)
"""Taints that our controllers set for a time (cluster-autoscaler's FAQ; aws-ebs-csi-driver docs/install.md)."""


def system_nodes(scene: Scene, each: Object) -> Iterator[Finding]:
    """System pods that are replicas, and not one on each node."""
    pod = each.pod
    system = each.namespace == SYSTEM_NAMESPACE or pod.spec.get("priorityClassName") in SYSTEM_CLASSES
    others = [group.name for group in nodes.chosen(scene.facts, pod) if not group.system]
    if system and others:
        told = f"a system pod may run on {_named(others)}, where spot capacity and batches take its place away"
        hint = f"set nodeSelector `{names.ROLE_LABEL}: system`, and tolerate `{names.SYSTEM_TAINT['key']}`"
        yield Finding((*pod.path, "spec", "nodeSelector"), told, hint)


def tolerations(scene: Scene, each: Object) -> Iterator[Finding]:
    """Each toleration is for a taint of this cluster, of Kubernetes, or of a controller here."""
    known = {taint for group in scene.facts.nodes for taint in group.taints}
    for index, found in enumerate(items(each.pod.spec.get("tolerations"))):
        toleration = mapping(found)
        path = (*each.pod.path, "spec", "tolerations", index)
        if not toleration.get("key"):
            if each.kind != "DaemonSet" and not toleration.get("effect"):
                told = "tolerates every taint: it may start on GPU nodes, and on nodes that are about to go"
                yield Finding(path, told, "name the taints that it must tolerate")
        elif not _of_others(str(toleration["key"])) and not any(nodes.covers(toleration, taint) for taint in known):
            taints = sorted({f"{key}={value}:{effect}" for key, value, effect in known})
            told = f"no node of this cluster has a taint that `{_shown(toleration)}` tolerates"
            yield Finding(path, told, f"the taints here: {', '.join(taints) or 'none'}")


def node_selector(scene: Scene, each: Object) -> Iterator[Finding]:
    """Some node group has the labels that the pod asks for, all of them at once."""
    pod = each.pod
    if nodes.chosen(scene.facts, pod):
        return
    blamed = False
    for path, key, values in nodes.wanted(pod):
        if not any(_offers(group, key, values) for group in scene.facts.nodes):
            blamed = True
            asked = f"{key}={'|'.join(values)}" if values else key
            yield Finding(
                path, f"no node group has the label `{asked}`: its pods wait for ever", _offer(scene, key, values)
            )
    if not blamed:
        told = "no node group has all the labels that the pod asks for: its pods wait for ever"
        hint = f"node groups here: {', '.join(group.name for group in scene.facts.nodes)}"
        yield Finding((*pod.path, "spec", "nodeSelector"), told, hint)


def node_taints(scene: Scene, each: Object) -> Iterator[Finding]:
    """Of the node groups that the pod chooses, one lets it in."""
    pod, closed = each.pod, []
    for group in nodes.chosen(scene.facts, pod):
        barred = [taint for taint in group.taints if taint[2] != "PreferNoSchedule" and not nodes.tolerates(pod, taint)]
        if not barred:
            return
        closed += barred
    if closed:
        key, value, effect = closed[0]
        told = f"does not tolerate `{key}={value}:{effect}` of the node groups that it chooses: its pods wait for ever"
        hint = f"add a toleration: {{key: {key}, operator: Exists, effect: {effect}}}"
        yield Finding((*pod.path, "spec", "tolerations"), told, hint)


def spread(scene: Scene, each: Object) -> Iterator[Finding]:
    """Replicas keep apart, by spread constraints or anti-affinity that means these very pods."""
    most = max([each.replicas, *_scaled_to(scene, each)])
    if most > 1 and not any(selects(selector, each.pod.labels) for selector in _apart(each.pod)):
        told = f"{most} replicas may all start on one node, and go with it"
        hint = "add topologySpreadConstraints over kubernetes.io/hostname whose labelSelector matches its own pods"
        yield Finding((*each.pod.path, "spec", "topologySpreadConstraints"), told, hint)


def _apart(pod: Pod) -> Iterator[object]:
    """Label selectors of what keeps pods of a kind apart."""
    for each in items(pod.spec.get("topologySpreadConstraints")):
        yield at(each, "labelSelector")
    rules = mapping(at(pod.spec, "affinity", "podAntiAffinity"))
    for each in items(rules.get("requiredDuringSchedulingIgnoredDuringExecution")):
        yield at(each, "labelSelector")
    for each in items(rules.get("preferredDuringSchedulingIgnoredDuringExecution")):
        yield at(each, "podAffinityTerm", "labelSelector")


def _scaled_to(scene: Scene, each: Object) -> Iterator[int]:
    for scaler in scene.of_kind("HorizontalPodAutoscaler", each.namespace):
        target = mapping(scaler.spec.get("scaleTargetRef"))
        if (target.get("kind"), target.get("name")) == (each.kind, each.name):
            most = scaler.spec.get("maxReplicas")
            yield most if isinstance(most, int) else 1


def _of_others(key: str) -> bool:
    return key.startswith(OF_KUBERNETES) or key in OF_CONTROLLERS


def _offers(group: Nodes, key: str, values: list[str]) -> bool:
    return any(nodes.has(group, key, value) for value in values) if values else key in group.labels


def _offer(scene: Scene, key: str, values: list[str]) -> str:
    found = [group.labels[key] for group in scene.facts.nodes if key in group.labels]
    if found:
        offered = sorted(set().union(*found))
        near = did_you_mean(values[0], offered) if values else ""
        return near or f"its values here: {', '.join(offered)}"
    return did_you_mean(key, {label for group in scene.facts.nodes for label in group.labels}, _labels(scene))


def _labels(scene: Scene) -> str:
    """Labels whose values git knows, but for the old names of some."""
    known = {key for group in scene.facts.nodes for key, values in group.labels.items() if values is not ANY}
    return f"labels here: {', '.join(sorted(key for key in known if 'beta.' not in key))}"


def _shown(toleration: Mapping[str, Any]) -> str:
    value, effect = toleration.get("value"), toleration.get("effect")
    return f"{toleration.get('key')}{f'={value}' if value else ''}{f':{effect}' if effect else ''}"


def _named(groups: list[str]) -> str:
    return ", ".join(groups[:3]) + (f" and {len(groups) - 3} more" if len(groups) > 3 else "")
