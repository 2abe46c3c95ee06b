"""What the check of an upgrade tells of one cluster."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from generators.checks.upgrade.concern import Edit
from generators.errors import Problem
from generators.model.support import Verdict


@dataclass(frozen=True)
class Change:
    """One thing to change or to look at, at its place. `edit` is None where a person must make it."""

    level: str
    check: str
    problem: Problem
    edit: Edit | None = None

    def facts(self) -> dict[str, object]:
        """The same for a machine."""
        return {"check": self.check, **self.problem.facts(), "by_write": self.edit is not None}


@dataclass(frozen=True)
class Row:
    """A component of the cluster, and what is known of its version on the target."""

    component: str
    version: str
    verdict: Verdict

    def facts(self) -> dict[str, str]:
        """The same for a machine."""
        told = self.verdict
        known = {"level": told.level, "supports": told.range, "source": told.source, "date": told.date}
        return {"component": self.component, "version": self.version, **known}


@dataclass(frozen=True)
class Minor:
    """A minor's dates on EKS (ISO), days until each, negative when it has passed, and the nodes' kernel."""

    on_eks_since: str
    standard_support_ends: str
    standard_days_left: int
    extended_support_ends: str
    extended_days_left: int
    kernel: str


@dataclass(frozen=True)
class Nodes:
    """A managed node group: EKS's name of its image, and the version of the device plugin on it ("" for none)."""

    group: str
    ami_type: str
    device_plugin: str


@dataclass(frozen=True)
class Report:
    """All that the check of one cluster tells. `unchecked` names what could not be looked at, with the cure."""

    cluster: str
    source: str
    target: str
    today: date
    minors: dict[str, Minor]
    """The cluster's minor and the target."""
    changes: list[Change]
    components: list[Row] = field(default_factory=list)
    nodes: list[Nodes] = field(default_factory=list)
    objects: int = 0
    unchecked: list[str] = field(default_factory=list)

    def of(self, level: str) -> list[Change]:
        """Changes of a level, in file order."""
        return sorted((each for each in self.changes if each.level == level), key=lambda each: each.problem.sort_key())

    def by_hand(self) -> list[Change]:
        """Required changes that only a person can make."""
        return [each for each in self.of("required") if each.edit is None]

    def edits(self) -> list[Edit]:
        """What `write` sets in the cluster file."""
        return [each.edit for each in self.changes if each.edit]

    def facts(self) -> dict[str, object]:
        """The same for a machine."""
        return {
            "cluster": self.cluster,
            "from": self.source,
            "to": self.target,
            "today": self.today.isoformat(),
            "minors": {name: vars(minor) for name, minor in self.minors.items()},
            "components": [row.facts() for row in self.components],
            "nodes": [vars(each) for each in self.nodes],
            "objects": self.objects,
            "required": [each.facts() for each in self.of("required")],
            "recommended": [each.facts() for each in self.of("recommended")],
            "unchecked": self.unchecked,
        }
