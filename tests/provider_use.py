"""Which arguments of the AWS provider our Terraform writes. The parser comes with checkov."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import hcl2

from tests.fleets import ROOT

OF_TERRAFORM = {"count", "depends_on", "dynamic", "for_each", "lifecycle"}
"""What every resource takes, whatever its provider; `provider` itself nobody writes here."""


@dataclass(frozen=True)
class Use:
    """One resource or data source as it is written. `body`: argument to value; a block's value is a list of bodies."""

    kind: str
    type: str
    name: str
    body: dict[str, Any]


def used() -> Iterator[Use]:
    """All of them, of all modules and the root."""
    for path in sorted((ROOT / "terraform").rglob("*.tf")):
        if ".terraform" in path.parts:
            continue
        read: dict[str, Any] = hcl2.loads(path.read_text(encoding="utf-8"))  # type: ignore[attr-defined]
        for kind in ("resource", "data", "ephemeral"):
            for found in read.get(kind, []):
                for type_, named in found.items():
                    yield from (
                        Use(kind, type_, name, body) for name, body in named.items() if type_ != "terraform_data"
                    )


def blocks(body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and body of nested blocks, those of `dynamic` among them."""
    for key, value in body.items():
        if key not in OF_TERRAFORM and isinstance(value, list):
            yield from ((key, each) for each in value if isinstance(each, dict))
    for found in body.get("dynamic", []):
        for name, described in found.items():
            yield from ((name, each) for each in described["content"])


def arguments(body: dict[str, Any]) -> set[str]:
    """Names of arguments and blocks."""
    written = {key for key in body if key not in OF_TERRAFORM and not key.startswith("__")}
    return written | {name for found in body.get("dynamic", []) for name in found}
