"""Which node groups a pod may run on, by its nodeSelector, its required node affinity and its tolerations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from generators.checks.policy.facts import ANY, Facts, Nodes
from generators.checks.policy.objects import Pod, at, items, mapping
from generators.model.base import Path

REQUIRED = ("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms")


def chosen(facts: Facts, pod: Pod) -> list[Nodes]:
    """The groups that the pod's selector and required affinity leave."""
    selector, terms = mapping(pod.spec.get("nodeSelector")), items(at(pod.spec, *REQUIRED))
    return [
        nodes
        for nodes in facts.nodes
        if all(has(nodes, str(key), str(value)) for key, value in selector.items())
        and (not terms or any(_meets(nodes, mapping(term)) for term in terms))
    ]


def has(nodes: Nodes, key: str, value: str) -> bool:
    """Whether a node of the group may have the label with this value."""
    values = nodes.labels.get(key)
    return values is not None and (values is ANY or value in values)


def wanted(pod: Pod) -> Iterator[tuple[Path, str, list[str]]]:
    """Each label that the pod cannot do without: path, key, and the values that do; none where any value does."""
    for key, value in mapping(pod.spec.get("nodeSelector")).items():
        yield (*pod.path, "spec", "nodeSelector", key), str(key), [str(value)]
    for index, term in enumerate(items(at(pod.spec, *REQUIRED))):
        for number, each in enumerate(items(mapping(term).get("matchExpressions"))):
            if at(each, "operator") in ("In", "Exists"):
                path = (*pod.path, "spec", *REQUIRED, index, "matchExpressions", number)
                yield path, str(at(each, "key")), [str(value) for value in items(at(each, "values"))]


def tolerates(pod: Pod, taint: tuple[str, str, str]) -> bool:
    """Whether a toleration of the pod covers the taint."""
    return any(covers(mapping(each), taint) for each in items(pod.spec.get("tolerations")))


def covers(toleration: Mapping[str, Any], taint: tuple[str, str, str]) -> bool:
    """By Kubernetes' own terms: no effect means every effect, no key with Exists every taint."""
    key, value, effect = taint
    if toleration.get("effect") not in (None, "", effect):
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in (None, "", key)
    return toleration.get("key") == key and (toleration.get("value") or "") == value


def _meets(nodes: Nodes, term: Mapping[str, Any]) -> bool:
    """All expressions of a term. Node names (matchFields) are not known here, so they hold."""
    return all(_holds(nodes, mapping(each)) for each in items(term.get("matchExpressions")))


def _holds(nodes: Nodes, expression: Mapping[str, Any]) -> bool:
    key, values = str(expression.get("key")), [str(value) for value in items(expression.get("values"))]
    found = nodes.labels.get(key)
    match expression.get("operator"):
        case "In":
            return any(has(nodes, key, value) for value in values)
        case "NotIn":
            return found is None or found is ANY or bool(found - set(values))
        case "Exists":
            return found is not None
        case "DoesNotExist":
            return found is None
        case "Gt" | "Lt" as operator:
            return found is not None and (found is ANY or any(_beyond(operator, each, values) for each in found))
        case _:
            return False


def _beyond(operator: str, value: str, bounds: list[str]) -> bool:
    if not value.isdecimal() or not (len(bounds) == 1 and bounds[0].isdecimal()):
        return False
    return int(value) > int(bounds[0]) if operator == "Gt" else int(value) < int(bounds[0])
