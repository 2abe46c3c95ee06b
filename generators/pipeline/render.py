"""Renders one cluster: from its file to its folder, under its lock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from generators.errors import FleetError, Problem, wrong
from generators.output import disk
from generators.output.plan import Plan, compare, diff
from generators.output.text import texts
from generators.pipeline.fleet import Fleet
from generators.renderers import render

Mode = Literal["write", "check", "dry-run"]


@dataclass(frozen=True)
class Outcome:
    """What became of one cluster. `diff` is filled in mode check only; `problems` leave the folder untouched."""

    cluster: str
    plan: Plan = field(default_factory=Plan)
    diff: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Files by what happens to them."""
        plan = self.plan
        return {
            "added": len(plan.added),
            "changed": len(plan.changed),
            "stale": len(plan.stale),
            "same": len(plan.same),
        }


def cluster_texts(fleet: Fleet, name: str) -> dict[str, str]:
    """Every generated file of the cluster: path below `generated/` → text. Raises FleetError."""
    return texts(render(fleet.load(name)), name)


def render_cluster(fleet: Fleet, name: str, mode: Mode) -> Outcome:
    """Renders, compares and, in mode write, replaces the folder. Never raises: problems are in the outcome."""
    shown = f"clusters/{name}"
    try:
        folder = fleet.workspace.existing(name)
        with disk.locked(folder, shown):
            disk.recover(folder)
            disk.guard(folder, shown)
            wanted = cluster_texts(fleet, name)
            plan = compare(folder / disk.GENERATED, wanted)
            lines = list(diff(plan, wanted, f"{shown}/{disk.GENERATED}")) if mode == "check" else []
            if mode == "write":
                disk.apply(folder, shown, wanted, plan)
        plan.before.clear()
        return Outcome(name, plan, lines)
    except FleetError as error:
        return Outcome(name, problems=error.problems)
    except OSError as error:
        place = error.filename or shown
        return Outcome(name, problems=wrong(str(place), error.strerror or str(error)).problems)
