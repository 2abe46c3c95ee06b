"""A batch that was ordered on the command line: held to the rules of the cluster file, then a Job or an edit of it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from generators.errors import FleetError, Place, Problem, wrong
from generators.model.apps import InferenceJob
from generators.model.base import did_you_mean
from generators.model.catalog import Inputs
from generators.model.job_rules import reach
from generators.pipeline.fleet import Fleet
from generators.renderers import batch
from generators.source import clusters, reader
from generators.source.nodes import Node

CALL = Place("fleet jobs submit")
JOBS = ("apps", batch.APP, "jobs")
GIT_ONLY = ("suspend", "schedule", "time_zone")
"""Keys that mean nothing for a Job that runs once, now."""
SUFFIX_LETTERS, SUFFIX_LENGTH = "bcdfghjklmnpqrstvwxz2456789", 5
"""As Kubernetes' own `generateName`: no vowels, so that no words come of it."""


@dataclass(frozen=True)
class Order:
    """What was asked for. `fields` are keys of a batch in the cluster file; `like` names one there to start from."""

    cluster: str
    fields: Mapping[str, object]
    name: str = ""
    like: str = ""
    in_git: bool = False


@dataclass(frozen=True)
class Batch:
    """An order that holds: the cluster with the batch among its own, and what stands in the file for it."""

    inputs: Inputs
    name: str
    fields: dict[str, object] = field(default_factory=dict)

    def job(self, ttl_seconds: int, annotations: Mapping[str, str]) -> dict[str, Any]:
        """Its Job, under a name that no other has."""
        suffix = "".join(secrets.choice(SUFFIX_LETTERS) for _ in range(SUFFIX_LENGTH))
        return batch.job(self.inputs, batch.Order(self.name, f"{self.name}-{suffix}", ttl_seconds, annotations))


def option(key: str) -> str:
    """How the command line names a key of a batch."""
    return "--" + key.replace("_", "-")


def checked(fleet: Fleet, order: Order) -> Batch:
    """The order as a batch of its cluster. Raises FleetError with every mistake, each under the option's name."""
    base = fleet.load(order.cluster)
    settings = base.cluster.apps.gpu_inference
    if settings is None:
        hint = f"add `{batch.APP}: {{}}` to its apps"
        raise wrong(clusters.shown(order.cluster), "does not run batches", key="apps", hint=hint)
    if order.like and order.like not in settings.jobs:
        hint = did_you_mean(order.like, settings.jobs, f"batches there: {', '.join(settings.jobs) or 'none'}")
        raise _mistake(f"no batch `{order.like}` in {clusters.shown(order.cluster)}", "--from", hint)
    node = reader.read(fleet.workspace.existing(order.cluster) / "cluster.yaml", clusters.shown(order.cluster))
    fields = _fields(base, node, order)
    name = _name(order, fields)
    problems = [*_out_of_place(order, name, settings.jobs), *_beyond(base, order, fields)]
    groups = [name for name, group in base.cluster.node_groups.items() if group.gpu]
    try:
        inputs = clusters.check(
            fleet.workspace, order.cluster, _with(node, (*JOBS, name), fields), fleet.defaults, fleet.catalog
        )
    except FleetError as error:
        told = [_told(each, name, groups) for each in error.problems]
        known = {each.key for each in told if each.place == CALL}
        raise FleetError([each for each in problems if each.key not in known] + told) from None
    if problems:
        raise FleetError(problems)
    return Batch(inputs, name, fields)


def _fields(base: Inputs, node: Node, order: Order) -> dict[str, object]:
    """What was given, over what the batch that it is like has; the node group where there is but one."""
    found = node.find((*JOBS, order.like)) if order.like else None
    like = found.plain() if found else {}
    fields = {**(like if isinstance(like, dict) else {}), **order.fields}
    if not order.in_git:
        fields = {key: value for key, value in fields.items() if key not in GIT_ONLY}
    groups = [name for name, group in base.cluster.node_groups.items() if group.gpu]
    if "node_group" not in fields and len(groups) == 1:
        fields["node_group"] = groups[0]
    return {key: fields[key] for key in InferenceJob.model_fields if key in fields}


def _name(order: Order, fields: Mapping[str, object]) -> str:
    """As given, or as the batch that it is like, or by the last folder of its output."""
    last = PurePosixPath(str(fields.get("output", ""))).name.lower()
    named = re.sub(r"[^a-z0-9]+", "-", last).lstrip("-0123456789")[:40].rstrip("-")
    return order.name or order.like or named or "batch"


def _out_of_place(order: Order, name: str, jobs: Mapping[str, object]) -> list[Problem]:
    """What fits only git, or only the cluster."""
    found = []
    if name in jobs and (order.in_git or name != order.like):
        hint = "give another --name" + ("" if order.in_git else f"; or run that one, with --from {name}")
        found.append(Problem(CALL, f"`{name}` is a batch of {clusters.shown(order.cluster)} already", "--name", hint))
    if not order.in_git:
        hint = "with --write, which adds the batch to the cluster file; a Job that is submitted runs once, at once"
        found += [
            Problem(CALL, "is for batches in git", option(key), hint) for key in GIT_ONLY if order.fields.get(key)
        ]
    return found


def _beyond(base: Inputs, order: Order, fields: Mapping[str, object]) -> list[Problem]:
    """Prefixes that the workers' role does not reach; one in git brings its own rights."""
    if order.in_git:
        return []
    prefixes = [str(fields[key]) if key in fields else "" for key in ("input", "output")]
    given = [each for each in reach(base, *prefixes) if fields.get(str(each.path[0]))]
    return [Problem(CALL, each.message, option(str(each.path[0])), each.hint) for each in given]


def _with(node: Node, path: tuple[str, ...], fields: Mapping[str, object]) -> Node:
    """The file's nodes with a batch at `path`; places of what is new say that it was an option."""
    if not path:
        return _as_node(fields)
    value = dict(node.value) if isinstance(node.value, dict) else {}
    value[path[0]] = _with(value.get(path[0], Node(CALL, {})), path[1:], fields)
    return Node(node.place, value, keys={**node.keys, path[0]: CALL if len(path) == 1 else node.place})


def _as_node(value: object) -> Node:
    if isinstance(value, Mapping):
        return Node(CALL, {key: _as_node(each) for key, each in value.items()}, keys=dict.fromkeys(value, CALL))
    if isinstance(value, list):
        return Node(CALL, [_as_node(each) for each in value])
    if isinstance(value, (str, int, float)):
        return Node(CALL, value)
    raise TypeError(value)


def _told(problem: Problem, name: str, groups: list[str]) -> Problem:
    """A problem of an option in the words of the command line; one of the file as it is, but for what it says of us."""
    if problem.place == CALL and problem.key.endswith(".node_group") and problem.message == "is missing":
        return Problem(CALL, problem.message, option("node_group"), f"GPU node groups here: {', '.join(groups)}")
    prefix = ".".join((*JOBS, name))

    def ours(text: str) -> str:
        return re.sub(re.escape(prefix) + r"\.([a-z_]+)", lambda found: option(found[1]), text)

    if problem.place != CALL:
        return Problem(problem.place, ours(problem.message), problem.key, ours(problem.hint))
    key = re.sub(r"\[\d+\]$", "", problem.key.removeprefix(prefix).removeprefix("."))
    if not key and (lacking := re.search(r"add `([a-z_]+): ([^`]+)`", problem.hint)):
        hint = problem.hint.replace(lacking[0], f"add `{option(lacking[1])} {lacking[2]}`")
        return Problem(CALL, ours(problem.message), option(lacking[1]), hint)
    return Problem(CALL, ours(problem.message), option(key) if key else "--name", ours(problem.hint))


def _mistake(message: str, key: str, hint: str) -> FleetError:
    return FleetError(Problem(CALL, message, key, hint))
