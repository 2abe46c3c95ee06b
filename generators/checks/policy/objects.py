"""Kubernetes objects as the rules see them: kind, name, the pods that they make, and where each part stands.

Objects that break their schema come here too, so nothing takes a type for granted: what is no mapping reads as empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from generators.model.base import Path

TEMPLATES: dict[str, Path] = {
    "Pod": (),
    "Deployment": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
"""Kinds that make pods → where the pod stands in them."""
REPLICATED = ("Deployment", "ReplicaSet", "StatefulSet")
"""Kinds with a number of replicas."""


def mapping(value: object) -> Mapping[str, Any]:
    """The value, or an empty mapping where it is none."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """The value, or an empty list where it is none."""
    return value if isinstance(value, list) else []


def at(value: object, *path: str) -> Any:
    """What stands below `value` at `path`, or None."""
    for step in path:
        value = mapping(value).get(step)
    return value


@dataclass(frozen=True)
class Container:
    """A container of a pod, with its path in the object."""

    path: Path
    spec: Mapping[str, Any]

    @property
    def name(self) -> str:
        """As its owner named it."""
        return str(self.spec.get("name", ""))

    @property
    def security(self) -> Mapping[str, Any]:
        """Its securityContext."""
        return mapping(self.spec.get("securityContext"))


@dataclass(frozen=True)
class Pod:
    """A pod, or the template of one. `path` leads to its metadata and spec."""

    path: Path
    template: Mapping[str, Any]

    @cached_property
    def spec(self) -> Mapping[str, Any]:
        """The PodSpec."""
        return mapping(self.template.get("spec"))

    @cached_property
    def labels(self) -> Mapping[str, Any]:
        """Labels that the pods get."""
        return mapping(at(self.template, "metadata", "labels"))

    @property
    def security(self) -> Mapping[str, Any]:
        """The pod's own securityContext."""
        return mapping(self.spec.get("securityContext"))

    @cached_property
    def containers(self) -> tuple[Container, ...]:
        """All containers, those that come first included."""
        return tuple(
            Container((*self.path, "spec", field, index), mapping(spec))
            for field in ("initContainers", "containers")
            for index, spec in enumerate(items(self.spec.get(field)))
        )

    def volumes(self) -> Iterator[tuple[Path, Mapping[str, Any]]]:
        """Each volume with its path."""
        for index, volume in enumerate(items(self.spec.get("volumes"))):
            yield (*self.path, "spec", "volumes", index), mapping(volume)


@dataclass(frozen=True)
class Object:
    """One rendered object of an app; `app` is empty for Argo CD's own."""

    document: Mapping[str, Any]
    app: str = ""

    @cached_property
    def kind(self) -> str:
        """For example Deployment."""
        return str(self.document.get("kind", ""))

    @cached_property
    def group(self) -> str:
        """API group, empty for the core one."""
        return str(self.document.get("apiVersion", "")).rpartition("/")[0]

    @cached_property
    def metadata(self) -> Mapping[str, Any]:
        """Name, namespace, labels, annotations."""
        return mapping(self.document.get("metadata"))

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.metadata.get("name", ""))

    @cached_property
    def namespace(self) -> str:
        """Empty for a cluster-scoped object."""
        return str(self.metadata.get("namespace", ""))

    @property
    def title(self) -> str:
        """`Kind/name`."""
        return f"{self.kind}/{self.name}"

    @cached_property
    def spec(self) -> Mapping[str, Any]:
        """Its spec."""
        return mapping(self.document.get("spec"))

    @cached_property
    def pod(self) -> Pod:
        """The pod that it makes; one without containers where its kind makes none."""
        path = TEMPLATES.get(self.kind)
        found = self.document if path is not None else {}
        return Pod(path or (), mapping(at(found, *map(str, path or ()))))

    @property
    def replicas(self) -> int:
        """As the object says, or the one that Kubernetes takes."""
        count = self.spec.get("replicas", 1)
        return count if isinstance(count, int) else 1


def selects(selector: object, labels: Mapping[str, Any]) -> bool:
    """Whether a LabelSelector matches these labels. An empty one matches all, a missing one nothing."""
    if not isinstance(selector, dict) or not includes(labels, mapping(selector.get("matchLabels"))):
        return False
    return all(_holds(mapping(each), labels) for each in items(selector.get("matchExpressions")))


def includes(labels: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether the labels are there, each with its value."""
    return all(key in labels and labels[key] == value for key, value in wanted.items())


def _holds(expression: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    key, values = str(expression.get("key")), items(expression.get("values"))
    match expression.get("operator"):
        case "In":
            return labels.get(key) in values and key in labels
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels
