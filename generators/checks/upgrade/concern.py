"""What a check of an upgrade finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from generators.model.base import Finding, Path
from generators.model.support import Verdict


@dataclass(frozen=True)
class Edit:
    """A value to set in the cluster file."""

    path: Path
    value: object


@dataclass(frozen=True)
class Concern:
    """Something to change, or to look at, and where: its path is one of the file, or object, that was looked at."""

    level: Literal["required", "recommended"]
    check: str
    """A short name of what was looked at: `skew`, `support`, `chart`, `api` and so on."""
    finding: Finding
    edit: Edit | None = None
    """How `--write` makes the change; None where a person must."""


def required(check: str, path: Path, message: str, hint: str, edit: Edit | None = None) -> Concern:
    """Without this change the upgrade fails, or breaks something."""
    return Concern("required", check, Finding(path, message, hint), edit)


def recommended(check: str, path: Path, message: str, hint: str) -> Concern:
    """Nothing is known to break without it."""
    return Concern("recommended", check, Finding(path, message, hint))


def judged(check: str, path: Path, verdict: Verdict) -> Concern | None:
    """A verdict that is not that all fits."""
    if verdict.level == "fits":
        return None
    return Concern(verdict.level, check, Finding(path, verdict.message, verdict.hint))
