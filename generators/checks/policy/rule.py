"""What a rule is, and what it may look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from generators.checks.policy.facts import Facts
from generators.checks.policy.objects import TEMPLATES, Object
from generators.model.base import Finding


@dataclass(frozen=True)
class Scene:
    """A cluster's facts and all its rendered objects: those of jsonnet and kustomize apps and of our own charts."""

    facts: Facts
    objects: tuple[Object, ...]

    @cached_property
    def _by_kind(self) -> dict[str, list[Object]]:
        found: dict[str, list[Object]] = {}
        for each in self.objects:
            found.setdefault(each.kind, []).append(each)
        return found

    @cached_property
    def _workloads(self) -> dict[str, list[Object]]:
        found: dict[str, list[Object]] = {}
        for kind in TEMPLATES:
            for each in self.of_kind(kind):
                found.setdefault(each.namespace, []).append(each)
        return found

    def of_kind(self, kind: str) -> list[Object]:
        """All objects of a kind."""
        return self._by_kind.get(kind, [])

    def workloads(self, namespace: str) -> list[Object]:
        """What makes pods in a namespace."""
        return self._workloads.get(namespace, [])


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
