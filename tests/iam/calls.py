"""What is asked under each role: by our programs as it was recorded, by others as their sources say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from generators.model import names
from tests.aws.recording import Asked
from tests.fleets import committed
from tests.iam import facts
from tests.iam.judge import Request, Statement, allows

KEY = "kms:"
PLACE = re.compile(r"\{(\w+)\}")
"""What differs by cluster, by the names of `generators.model.names.placeholders`."""


@dataclass(frozen=True)
class Call:
    """One call and all that AWS checks for it. `who` makes it."""

    who: str
    what: str
    needs: tuple[Request, ...]

    def allowed(self, identity: list[Statement]) -> bool:
        """By the role's own policy. The key's policy decides about the key: see `uses_key`."""
        return all(allows(each, identity) for each in self.needs if not each.action.startswith(KEY))

    @property
    def uses_key(self) -> list[Request]:
        """What it does with a KMS key, through S3."""
        return [each for each in self.needs if each.action.startswith(KEY)]

    def elsewhere(self, here: str, there: str) -> Call:
        """The same call on what another cluster has, by its name in ARNs and tags."""
        return replace(self, needs=tuple(_swapped(each, here, there) for each in self.needs))

    def __str__(self) -> str:
        return f"{self.who}: {self.what}, which needs {', '.join(map(str, self.needs))}"


def recorded(cluster: str, who: str, asked: list[Asked]) -> list[Call]:
    """Each different call among requests to S3. Raises ValueError for another service, and for an unknown operation."""
    bucket, found = facts.bucket(cluster), {}
    for each in asked:
        if each.service != "s3":
            raise ValueError(f"{who} asked {each.service}: no rule for what {each.method} {each.path} needs")
        call = Call(who, f"{each.method} {each.path}", tuple(bucket.needs(each)))
        found[call.what, call.needs] = call
    return list(found.values())


@cache
def documented(cluster: str, account: str) -> list[Call]:
    """What others' programs ask under a ServiceAccount's role."""
    return [
        Call(program["program"], f"{call['call']} for {call['for']}", tuple(needs))
        for program in programs()
        if program["account"] == account
        for call in program["calls"]
        if (needs := list(_needs(cluster, call)))
    ]


@cache
def programs() -> list[dict[str, Any]]:
    """All that is written down."""
    found: list[dict[str, Any]] = json.loads(Path(__file__).with_name("calls.json").read_text())["programs"]
    return found


def _needs(cluster: str, call: dict[str, Any]) -> Iterator[Request]:
    """Nothing where the cluster lacks what the call is about."""
    values = {key: value[0] for key, value in names.placeholders(committed().load(cluster).cluster).items() if value}
    text = json.dumps(call)
    if set(PLACE.findall(text)) - values.keys():
        return
    filled = json.loads(PLACE.sub(lambda match: values[match[1]], text))
    for action, resource, *context in filled.get("needs", []):
        yield Request(action, resource, dict(*context))
    if "s3" in filled:
        operation, *key = filled["s3"]
        below = dict(zip(["prefix" if operation.startswith("List") else "key"], key, strict=False))
        yield from facts.bucket(cluster).operation(operation, **below)


def _swapped(request: Request, here: str, there: str) -> Request:
    def swap(text: str) -> str:
        return text.replace(here, there)

    context = {swap(key): swap(value) for key, value in request.context.items()}
    return Request(request.action, swap(request.resource), context)
