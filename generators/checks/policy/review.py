"""All rules over all objects of a cluster, and the exceptions that apps make from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

from generators.checks.policy import RULES
from generators.checks.policy.facts import Facts
from generators.checks.policy.objects import Object
from generators.checks.policy.rule import Rule, Scene
from generators.model.base import Finding
from generators.model.catalog import App
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
        if excuse := _excuse(facts.apps.get(each.app), rule, each):
            needed.add(excuse)
        else:
            broken.append(Broken(index, _told(rule, each, finding)))
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


def _excuse(app: App | None, rule: Rule, each: Object) -> Excuse | None:
    exceptions = app.exceptions if app else {}
    for name, pattern in ((name, pattern) for name, objects in exceptions.items() for pattern in objects):
        if name == rule.id and fnmatchcase(each.title, pattern):
            return (each.app, name, pattern)
    return None


def _told(rule: Rule, each: Object, finding: Finding) -> Finding:
    """With the rule's id, by which docs/reference/policy.md tells of it, and the way to make an exception."""
    hint = finding.hint
    if rule.id in EXCUSABLE and each.app:
        way = f"say why in apps/{each.app}/app.yaml: `exceptions: {{{rule.id}: {{{each.title}: …}}}}`"
        hint += f"{' Or' if hint.endswith('?') else '; or'} {way}"
    return Finding(finding.path, f"{finding.message} [{rule.id}]", hint)
