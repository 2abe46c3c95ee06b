"""What the rules of identity look at, and how a finding says where it belongs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from generators.checks.policy.objects import Object, mapping
from generators.model.base import Finding, Path
from generators.model.identities import ROLE_ANNOTATION

Key = tuple[str, str]
"""Namespace and name of a ServiceAccount."""


@dataclass(frozen=True)
class Spot:
    """Where a finding belongs. The caller knows the files.

    `object`: the rendered object of that number. `values`: the values of that app, all files merged. `app`: its
    app.yaml. `role`: the role of that name, in the tfvars, or in the app.yaml that it comes from. `tfvars`: the file.
    """

    kind: Literal["object", "values", "app", "role", "tfvars"]
    key: int | str = ""


Told = Iterator[tuple[Spot, Finding]]


@dataclass(frozen=True)
class Account:
    """A ServiceAccount as the cluster will have it. `at` leads to it within its spot."""

    app: str
    namespace: str
    name: str
    annotations: Mapping[str, str]
    spot: Spot
    at: Path
    made: bool = True
    """False where a chart is told to take one that is there already."""

    @property
    def key(self) -> Key:
        """Namespace and name."""
        return self.namespace, self.name

    @property
    def role_arn(self) -> str:
        """What the annotation names, empty without one."""
        return self.annotations.get(ROLE_ANNOTATION, "")

    def annotation(self, name: str = ROLE_ANNOTATION) -> Path:
        """Where the annotation stands, or would."""
        return (*self.at, "annotations", name)


@dataclass(frozen=True)
class Document(Object):
    """A rendered object with its number."""

    number: int = 0

    @property
    def spot(self) -> Spot:
        """Its place."""
        return Spot("object", self.number)


def texts(value: object) -> dict[str, str]:
    """The entries of a mapping that are texts."""
    return {key: each for key, each in mapping(value).items() if isinstance(each, str)}
