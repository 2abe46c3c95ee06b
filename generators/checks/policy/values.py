"""Policy over the values of third-party charts: of their objects git knows no more than what we write there.

Charts have words of their own for most things, but nearly all take `nodeSelector`, `tolerations` and `affinity` as
Kubernetes spells them, and an image as `repository` and `tag`, at whatever depth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from generators.checks.policy import images, placement
from generators.checks.policy.budgets import needed, none_may_go
from generators.checks.policy.objects import TEMPLATES, Object, mapping
from generators.checks.policy.rule import Check, Scene
from generators.model.base import Finding, Path

KIND = "DaemonSet"
"""What the parts are taken for: the kind of which least is asked."""
SYSTEM_CLASS = "system-cluster-critical"
BUDGETS = ("podDisruptionBudget", "pdb")
REPLICAS = ("replicaCount", "replicas")
PLACEMENT = ("nodeSelector", "tolerations", "affinity")
PLACED: tuple[tuple[str, Check], ...] = (
    ("node-selector", placement.node_selector),
    ("tolerations", placement.tolerations),
)
RULES = ("node-selector", "tolerations", "node-taints", "system-nodes", "budget", "image-tag", "image-registry")
"""The rules that values are held to."""


def findings(scene: Scene, values: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[str, Finding]]:
    """Rule and finding for what the values, merged as helm does, say of placement and images."""
    yield from _placement(scene, values, path)
    yield from _system(scene, values, path)
    yield from _budget(values, path)
    yield from _image(scene, values, path)
    for key, value in values.items():
        yield from findings(scene, mapping(value), (*path, key))


def _placement(scene: Scene, part: Mapping[str, Any], path: Path) -> Iterator[tuple[str, Finding]]:
    spec = {key: part[key] for key in PLACEMENT if part.get(key)}
    if spec:
        # A toleration may come from elsewhere; but where some are listed beside the selector, they are all there are.
        both = "nodeSelector" in spec and "tolerations" in part
        rules = (*PLACED, ("node-taints", placement.node_taints)) if both else PLACED
        for rule, check in rules:
            for found in check(scene, _workload(spec)):
                below = found.path[len(TEMPLATES[KIND]) + 1 :]
                yield rule, Finding((*path, *below), found.message, found.hint)


def _system(scene: Scene, part: Mapping[str, Any], path: Path) -> Iterator[tuple[str, Finding]]:
    """The class beside a selector tells a system pod; that of DaemonSets, which may run on any node, is another one."""
    if part.get("priorityClassName") == SYSTEM_CLASS and isinstance(part.get("nodeSelector"), dict):
        spec = {key: part[key] for key in (*PLACEMENT, "priorityClassName") if part.get(key)}
        for found in placement.system_nodes(scene, _workload(spec, "Deployment")):
            yield "system-nodes", Finding((*path, "nodeSelector"), found.message, found.hint)


def _budget(part: Mapping[str, Any], path: Path) -> Iterator[tuple[str, Finding]]:
    """A budget beside the number of replicas that it is for, by the words that charts have for the two."""
    budget = next((key for key in BUDGETS if isinstance(part.get(key), dict)), "")
    count = next((key for key in REPLICAS if isinstance(part.get(key), int)), "")
    if budget and count and part[budget].get("enabled", True) and (least := part[budget].get("minAvailable")):
        replicas = part[count]
        if (kept := needed(least, replicas)) >= replicas > 0:
            # One pod is the least that a budget can keep: then it is the replicas that are too few.
            at = (count,) if kept == 1 else (budget, "minAvailable")
            yield "budget", Finding((*path, *at), none_may_go(least, kept, replicas), f"let {count} be more than that")


def _image(scene: Scene, part: Mapping[str, Any], path: Path) -> Iterator[tuple[str, Finding]]:
    """Registry and repository may be the chart's own choice; then only the tag is known here."""
    name = "/".join(str(part[key]) for key in ("registry", "repository") if isinstance(part.get(key), str))
    of_image = isinstance(part.get("repository"), str) or (path and "image" in str(path[-1]).lower())
    if of_image and part.get("tag"):
        image = f"{name or path[-1]}:{part['tag']}"
        yield from _of_image("image-tag", images.tag, scene, image, (*path, "tag"))
    if isinstance(part.get("repository"), str) and "." in name.partition("/")[0]:
        yield from _of_image("image-registry", images.registry, scene, name, (*path, "repository"))


def _of_image(rule: str, check: Check, scene: Scene, image: str, path: Path) -> Iterator[tuple[str, Finding]]:
    for found in check(scene, _workload({"containers": [{"image": image}]})):
        yield rule, Finding(path, found.message, found.hint)


def _workload(spec: Mapping[str, Any], kind: str = KIND) -> Object:
    return Object({"kind": kind, "spec": {"template": {"spec": spec}}})
