"""Holds a cluster's identities closed: roles, ServiceAccounts, values and pods, each as it is committed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import yaml

from generators.checks import secrets
from generators.checks.identity import accounts, chart_rules, closed, pods, role_names, tfvars
from generators.checks.identity.charts import Release
from generators.checks.identity.evidence import Document, Spot, Told
from generators.checks.policy.objects import mapping
from generators.errors import FleetError, Place, Problem
from generators.model.base import Finding
from generators.model.catalog import Inputs
from generators.model.identities import identities
from generators.output import disk
from generators.output.plan import Plan
from generators.pipeline import rendered, value_files
from generators.pipeline.fleet import Fleet
from generators.source import binding, nodes, reader
from generators.source.nodes import Node

TFVARS = "terraform/cluster.tfvars.json"


@dataclass(frozen=True)
class Committed:
    """A cluster as it stands on disk, where that differs from what a render would write: hands have been at it."""

    fleet: Fleet
    inputs: Inputs
    texts: Mapping[str, str]
    """Text of each file below generated/."""
    objects: Sequence[rendered.Rendered]
    unseen: frozenset[str]
    """Apps whose objects nobody could build."""

    @cached_property
    def values(self) -> dict[str, Node]:
        """For each helm app, all its values files merged in their order, each value with its place."""
        found = {}
        for name in self.inputs.apps():
            files = list(value_files.read(self.fleet, self.inputs, name, self.texts))
            if files:
                found[name] = reduce(lambda under, over: nodes.merge(over, under), files)
        return found

    @cached_property
    def releases(self) -> list[Release]:
        """The third-party charts."""
        plain = {name: mapping(node.plain()) for name, node in self.values.items()}
        return [
            Release(name, app.namespace, app.chart.name, plain.get(name, {}))
            for name, app in self.inputs.apps().items()
            if app.chart
        ]


@dataclass(frozen=True)
class Render:
    """What a render would write, and its objects, those that were built included."""

    texts: Mapping[str, str]
    objects: Sequence[rendered.Rendered]


def committed(fleet: Fleet, inputs: Inputs, render: Render, plan: Plan, built: rendered.Built) -> Committed:
    """What stands on disk, which `plan` holds against `render`; `built` is what kustomize and helm made of it."""
    texts, objects = render.texts, render.objects
    if plan.differs:
        kept = {path: text for path, text in texts.items() if path not in plan.added}
        texts = kept | {path: text for path, text in plan.before.items() if _readable(path, text)}
        objects = [*rendered.written(inputs.cluster.name, dict(texts)), *built.objects]
    to_build = {name for name, app in inputs.apps().items() if app.kind == "kustomize" or app.own_chart}
    return Committed(fleet, inputs, texts, objects, frozenset(to_build - {each.app for each in built.objects}))


def _readable(path: str, text: str) -> bool:
    """Whether a hand left something to look at; where not, that it is no longer as rendered is all there is to say."""
    try:
        found = json.loads(text) if path.endswith(".json") else yaml.load(text, Loader=yaml.CSafeLoader)
    except (ValueError, yaml.YAMLError):
        return False
    return isinstance(found, dict)


def problems(found: Committed) -> list[Problem]:
    """Everything that is not closed, each at its place."""
    roles = tfvars.read(mapping(json.loads(found.texts.get(TFVARS, "{}"))))
    return [_placed(found, roles, spot, finding) for spot, finding in _told(found, roles)]


def _told(found: Committed, roles: tfvars.Tfvars) -> Told:
    inputs, apps = found.inputs, found.inputs.apps()
    documents = [Document(each.document, each.app, number) for number, each in enumerate(found.objects) if each.app]
    made = [*accounts.rendered(documents), *(each for release in found.releases for each in release.accounts())]
    sdks = {(each.namespace, each.service_account): each.sdk for each in identities(inputs)}
    yield from role_names.findings(identities(inputs))
    if TFVARS in found.texts:
        yield from tfvars.findings(roles, inputs.cluster.account)
        for spot, finding in closed.findings(closed.Sides(roles, made, sdks)):
            if spot.kind != "role" or roles.roles[str(spot.key)].app not in found.unseen:
                yield spot, finding
    for document in documents:
        yield from ((document.spot, finding) for finding in secrets.of_object(document.document))
    for release in found.releases:
        yield from chart_rules.findings(release, apps[release.app], inputs.catalog.chart_values.get(release.chart))
    callers = [pods.Identity(each.app, each.account, sdks.get(each.account, "any")) for each in roles.roles.values()]
    unseen = {apps[name].namespace for name in found.unseen}
    yield from pods.findings(documents, callers, pods.Made({each.key for each in made if each.made}, unseen))


def _placed(found: Committed, roles: tfvars.Tfvars, spot: Spot, finding: Finding) -> Problem:
    if spot.kind == "object":
        each = found.objects[int(spot.key)]
        return _in_values(found, each, finding) or rendered.placed(each, finding)
    if spot.kind == "values" and (node := found.values.get(str(spot.key))):
        return binding.located(node, finding)
    if spot.kind == "role":
        return _at_role(found, roles.roles[str(spot.key)], finding)
    file = f"apps/{spot.key}/app.yaml"
    return _tfvars(found, finding) if spot.kind == "tfvars" else _in_file(found, file, finding)


def _in_values(found: Committed, each: rendered.Rendered, finding: Finding) -> Problem | None:
    """A ServiceAccount of a chart of ours, whose name and annotations are written as values."""
    app, node = found.inputs.catalog.apps[each.app], found.values.get(each.app)
    metadata = mapping(each.document.get("metadata"))
    if (
        not (each.built and app.own_chart and node)
        or finding.path[:1] != ("metadata",)
        or each.document["kind"] != "ServiceAccount"
    ):
        return None
    paths = [tuple(identity.values_path.split(".")) for identity in app.identities.values() if identity.values_path]
    named = [path for path in paths if (name := node.find((*path, "name"))) and name.value == metadata.get("name")]
    path = next(iter((*named, *paths)), ())
    return binding.located(node, Finding((*path, *finding.path[1:]), finding.message, finding.hint)) if path else None


def _at_role(found: Committed, role: tfvars.Role, finding: Finding) -> Problem:
    """In the app.yaml that declares it; in the tfvars, where a hand has been at those."""
    declared = {each.role_name: each for each in identities(found.inputs)}.get(role.name)
    if declared and (declared.app, declared.namespace, declared.service_account) == (role.app, *role.account):
        path = ("identities", declared.service_account)
        return _in_file(found, f"apps/{role.app}/app.yaml", Finding(path, finding.message, finding.hint))
    return _tfvars(found, Finding(("identities", role.name, *finding.path), finding.message, finding.hint))


def _tfvars(found: Committed, finding: Finding) -> Problem:
    file = f"clusters/{found.inputs.cluster.name}/{disk.GENERATED}/{TFVARS}"
    return _located(file, found.texts[TFVARS], finding)


def _in_file(found: Committed, file: str, finding: Finding) -> Problem:
    return _located(file, reader.text(found.fleet.workspace.root / file, file), finding)


def _located(file: str, text: str, finding: Finding) -> Problem:
    try:
        return binding.located(reader.parse(text, file), finding)
    except FleetError:  # such as a key that stands twice
        return Problem(Place(file), finding.message, hint=finding.hint)
