"""The next major version of the AWS provider takes what we write. See provider_schema.py for where its schema is from.

Not seen by this: what a value may be, and ephemeral resources.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.provider_schema import FILE, PREFIX
from tests.provider_use import Use, arguments, blocks, used

SCHEMA: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))["kinds"]
USES = [each for each in used() if each.kind in PREFIX]


def amiss(body: dict[str, Any], schema: dict[str, Any], at: str) -> Iterator[str]:
    """Arguments that the provider does not know, and those that it wants and does not get."""
    yield from (f"{at}.{name} is unknown" for name in sorted(arguments(body) - set(schema)))
    for name, wanted in schema.items():
        required = wanted.get("", False) if isinstance(wanted, dict) else wanted
        if name and required and name not in arguments(body):
            yield f"{at}.{name} is missing"
    for name, inner in blocks(body):
        if isinstance(schema.get(name), dict):
            yield from amiss(inner, schema[name], f"{at}.{name}")


@pytest.mark.parametrize("use", USES, ids=lambda use: f"{use.type}.{use.name}")
def test_it_takes_what_we_write(use: Use) -> None:
    assert [*amiss(use.body, SCHEMA[f"{use.kind} {use.type}"], f"{use.type}.{use.name}")] == []


def test_what_it_took_away_is_seen() -> None:
    """`vpc` of an address and `resolve_conflicts` of an add-on went with version 6 (its upgrade guide)."""
    assert "aws_eip.old.vpc is unknown" in amiss({"vpc": True}, SCHEMA["resource aws_eip"], "aws_eip.old")
    old = {"cluster_name": "demo", "addon_name": "vpc-cni", "resolve_conflicts": "OVERWRITE"}
    assert [*amiss(old, SCHEMA["resource aws_eks_addon"], "it")] == ["it.resolve_conflicts is unknown"]
    nested = {"vpc_config": [{"security_groups": []}], "name": "demo", "role_arn": "arn"}
    said = [*amiss(nested, SCHEMA["resource aws_eks_cluster"], "it")]
    assert said == ["it.vpc_config.security_groups is unknown", "it.vpc_config.subnet_ids is missing"]
