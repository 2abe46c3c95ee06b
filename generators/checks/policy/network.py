"""Who may talk to what is served."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from generators.checks.policy.objects import Object, includes, items, mapping, selects
from generators.checks.policy.rule import Scene
from generators.model.base import Finding


def bounded(scene: Scene, each: Object) -> Iterator[Finding]:
    """For the pods behind a Service, some NetworkPolicy says who may reach them.

    Pods on the node's own network are left out: no NetworkPolicy holds for them.
    """
    selector = mapping(each.spec.get("selector"))
    if not selector:
        return
    behind = [found for found in scene.workloads(each.namespace) if includes(found.pod.labels, selector)]
    pods = {found.title: found.pod.labels for found in behind if found.pod.spec.get("hostNetwork") is not True}
    for title, labels in (pods if behind else {"its pods": selector}).items():
        if not any(_bounds(policy, labels) for policy in scene.of_kind("NetworkPolicy", each.namespace)):
            told = f"leads to {title}, and no NetworkPolicy bounds who may: every pod of the cluster reaches it"
            hint = "add a NetworkPolicy with policyTypes [Ingress] that selects it and names who may come in"
            yield Finding(("spec", "selector"), told, hint)


def _bounds(policy: Object, labels: Mapping[str, Any]) -> bool:
    """Without policyTypes a policy bounds what comes in."""
    kinds = items(policy.spec.get("policyTypes")) or ["Ingress"]
    return "Ingress" in kinds and selects(policy.spec.get("podSelector"), labels)
