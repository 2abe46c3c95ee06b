"""PodDisruptionBudgets: an eviction must be possible, or no node can ever be drained, updated or scaled in."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from generators.checks.policy.objects import REPLICATED, Object, selects
from generators.checks.policy.rule import Scene
from generators.model.base import Finding


def needed(value: object, pods: int) -> int:
    """Of so many pods, those that a budget's number or percentage means, rounded up."""
    text = str(value)
    if text.endswith("%") and text[:-1].isdecimal():
        return ceil(int(text[:-1]) * pods / 100)
    return int(text) if text.isdecimal() else 1


def none_may_go(least: object, kept: int, pods: int) -> str:
    """What is told of a budget whose `minAvailable` keeps all of its pods."""
    return f"minAvailable {least} means {kept} of {pods} replica{'s' * (pods > 1)}: none may ever be evicted"


def can_be_met(scene: Scene, each: Object) -> Iterator[Finding]:
    """At least one pod may go while all are healthy. Percentages are rounded up, as Kubernetes does."""
    pods = sum(other.replicas for other in _covered(scene, each) if other.kind in REPLICATED)
    if (most := each.spec.get("maxUnavailable")) is not None and needed(most, 100) == 0:
        told = f"maxUnavailable is {most}: no pod may ever be evicted, and no node with one be drained"
        yield Finding(("spec", "maxUnavailable"), told, "allow 1 at least")
    least = each.spec.get("minAvailable")
    if least is not None and pods and (kept := needed(least, pods)) >= pods:
        told = none_may_go(least, kept, pods)
        yield Finding(("spec", "minAvailable"), told, "say maxUnavailable: 1, which fits any number of replicas")


def selects_pods(scene: Scene, each: Object) -> Iterator[Finding]:
    """Some workload's pods, and none that another budget has: the API server evicts no pod of two budgets."""
    covered = _covered(scene, each)
    if not covered:
        told = f"selects no pod that is rendered in `{each.namespace}`: it protects nothing"
        yield Finding(("spec", "selector"), told, _labels_hint(scene, each))
    for other in scene.of_kind(each.kind, each.namespace):
        if other.name < each.name:
            both = [pods.title for pods in covered if selects(other.spec.get("selector"), pods.pod.labels)]
            if both:
                told = f"{both[0]} is in {other.title} too: Kubernetes evicts no pod that two budgets select"
                yield Finding(("spec", "selector"), told, "keep one of them")


def _covered(scene: Scene, each: Object) -> list[Object]:
    selector = each.spec.get("selector")
    return [other for other in scene.workloads(each.namespace) if selects(selector, other.pod.labels)]


def _labels_hint(scene: Scene, each: Object) -> str:
    for other in scene.workloads(each.namespace):
        labels = ", ".join(f"{key}: {value}" for key, value in other.pod.labels.items())
        return f"{other.title}, for example, has {{{labels}}}"
    return "nothing here makes pods in that namespace"
