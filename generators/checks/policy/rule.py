"""What a rule is, and what it may look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from generators.checks.policy.facts import Facts
from generators.checks.policy.objects import TEMPLATES, Object, at
from generators.model.base import Finding


@dataclass(frozen=True)
class Scene:
    """A cluster's facts and all its rendered objects: those of jsonnet and kustomize apps and of our own charts."""

    facts: Facts
    objects: tuple[Object, ...]

    def of_kind(self, kind: str, namespace: str) -> list[Object]:
        """Objects of a kind in a namespace."""
        return self._by_kind.get((kind, namespace), [])

    def workloads(self, namespace: str) -> list[Object]:
        """What makes pods in a namespace."""
        return [each for kind in TEMPLATES for each in self.of_kind(kind, namespace)]

    def bound(self, cluster_role: str) -> set[str]:
        """Kinds of the bindings of a ClusterRole."""
        return self._bound.get(cluster_role, set())

    def kinds(self, app: str) -> set[str]:
        """`group/Kind` of everything that an app renders."""
        return self._kinds.get(app, set())

    @cached_property
    def projects(self) -> dict[str, Object]:
        """AppProjects by name."""
        return {each.name: each for each in self.objects if each.kind == "AppProject"}

    @cached_property
    def _by_kind(self) -> dict[tuple[str, str], list[Object]]:
        found: dict[tuple[str, str], list[Object]] = {}
        for each in self.objects:
            found.setdefault((each.kind, each.namespace), []).append(each)
        return found

    @cached_property
    def _bound(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for each in self.objects:
            if at(each.document, "roleRef", "kind") == "ClusterRole":
                found.setdefault(str(at(each.document, "roleRef", "name")), set()).add(each.kind)
        return found

    @cached_property
    def _kinds(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for each in self.objects:
            found.setdefault(each.app, set()).add(f"{each.group}/{each.kind}")
        return found


Check = Callable[[Scene, Object], Iterator[Finding]]
PODS = tuple(TEMPLATES)


@dataclass(frozen=True)
class Rule:
    """One rule. `check` sees one object of `kinds` at a time, and may look at all others."""

    id: str
    meaning: str
    """What must hold, as a sentence."""
    kinds: tuple[str, ...]
    check: Check
