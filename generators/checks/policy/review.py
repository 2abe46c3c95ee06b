"""All rules over all objects of a cluster, and the exceptions that apps make from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from generators.checks.policy import RULES
from generators.checks.policy import values as values_policy
from generators.checks.policy.facts import Facts
from generators.checks.policy.objects import Object
from generators.checks.policy.rule import Rule, Scene
from generators.model.base import Finding
from generators.model.exceptions import EXCUSABLE, Excuse


@dataclass(frozen=True)
class Broken:
    """A rule that an object breaks. `index` is the object's place in what was reviewed."""

    index: int
    finding: Finding


@dataclass(frozen=True)
class Review:
    """What was found, and which exceptions were needed: those that nobody needs are stale."""

    broken: list[Broken]
    needed: frozenset[Excuse]


def review(facts: Facts, objects: Iterable[tuple[str, Mapping[str, object]]]) -> Review:
    """Holds each object (with its app; empty for Argo CD's own) to the rules of its kind."""
    scene = Scene(facts, tuple(Object(document, app) for app, document in objects))
    broken, needed = [], set()
    for index, rule, finding in _found(scene):
        each = scene.objects[index]
        if excuse := _excuse(facts, rule.id, each.app, each.title):
            needed.add(excuse)
        else:
            broken.append(Broken(index, _told(rule.id, each.app, each.title, finding)))
    return Review(broken, frozenset(needed))


def review_values(facts: Facts, values: Iterable[tuple[str, Mapping[str, Any]]]) -> Review:
    """The same for the values of third-party charts, each with its app, which stand for its Application."""
    scene, broken, needed = Scene(facts, ()), [], set()
    for index, (app, each) in enumerate(values):
        for rule, finding in values_policy.findings(scene, each):
            title = f"Application/{app}"
            if excuse := _excuse(facts, rule, app, title):
                needed.add(excuse)
            else:
                broken.append(Broken(index, _told(rule, app, title, finding)))
    return Review(broken, frozenset(needed))


def _found(scene: Scene) -> Iterator[tuple[int, Rule, Finding]]:
    rules = _by_kind()
    for index, each in enumerate(scene.objects):
        for rule in rules.get(each.kind, ()):
            for finding in rule.check(scene, each):
                yield index, rule, finding


@cache
def _by_kind() -> dict[str, list[Rule]]:
    found: dict[str, list[Rule]] = {}
    for rule in RULES:
        for kind in rule.kinds:
            found.setdefault(kind, []).append(rule)
    return found


def _excuse(facts: Facts, rule: str, app: str, title: str) -> Excuse | None:
    exceptions = facts.apps[app].exceptions if app in facts.apps else {}
    for name, pattern in ((name, pattern) for name, objects in exceptions.items() for pattern in objects):
        if name == rule and fnmatchcase(title, pattern):
            return (app, name, pattern)
    return None


def _told(rule: str, app: str, title: str, finding: Finding) -> Finding:
    """With the rule's id, by which docs/reference/policy.md tells of it, and the way to make an exception."""
    hint = finding.hint
    if rule in EXCUSABLE and app:
        way = f"say why in apps/{app}/app.yaml: `exceptions: {{{rule}: {{{title}: …}}}}`"
        hint += f"{' Or' if hint.endswith('?') else '; or'} {way}"
    return Finding(finding.path, f"{finding.message} [{rule}]", hint)
