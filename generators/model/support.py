"""What supports which Kubernetes minor, and for how long: verdicts over reference facts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

Level = Literal["fits", "recommended", "required"]
_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?")


@dataclass(frozen=True)
class Series:
    """Versions `start` ≤ v < `before` of a component, and the minors that its makers name for them.

    Outside of `oldest` and `newest` it does not work, or another version is needed; `tested` is the first and last
    minor of their tests. None where they say nothing.
    """

    start: str
    before: str
    source: str
    date: str
    oldest: str | None = None
    newest: str | None = None
    tested: tuple[str, str] | None = None

    def holds(self, version: str) -> bool:
        """Whether it speaks of this version."""
        return ordinal(self.start) <= ordinal(version) < ordinal(self.before)

    def level(self, minor: str) -> Level:
        """Whether these versions fit the minor."""
        at = ordinal(minor)
        if (self.oldest and at < ordinal(self.oldest)) or (self.newest and at > ordinal(self.newest)):
            return "required"
        if self.tested and not ordinal(self.tested[0]) <= at <= ordinal(self.tested[1]):
            return "recommended"
        return "fits"

    def range(self) -> str:
        """`1.32–1.35 tested`, `1.31 or newer`, `no range named`."""
        if self.tested:
            low, high = self.tested
            return f"{low}–{high} tested" if low != high else f"{low} tested"
        if self.newest:
            return f"up to {self.newest}"
        return f"{self.oldest} or newer" if self.oldest else "no range named"


@dataclass(frozen=True)
class Component:
    """A chart, an EKS add-on, or a program that is known by its image: what is known of its versions."""

    kind: Literal["chart", "addon", "image"]
    name: str
    series: tuple[Series, ...]


@dataclass(frozen=True)
class Family:
    """Images of nodes by the prefix of their ami_type. `device_plugin`: their NVIDIA images hold it already."""

    newest: str | None
    device_plugin: bool


@dataclass(frozen=True)
class Support:
    """All reference facts of `data/support.json`."""

    components: Mapping[str, Component]
    families: Mapping[str, Family]


@dataclass(frozen=True)
class Verdict:
    """Whether a version fits a minor: `message` and `hint` are empty where it does."""

    level: Level
    range: str = "nothing known"
    message: str = ""
    hint: str = ""
    source: str = ""
    date: str = ""


def ordinal(version: str) -> tuple[int, int, int]:
    """`v1.22.0-eksbuild.1`, `9.59.0` or `1.35` as numbers that can be compared; (0, 0, 0) for what is no version."""
    found = _VERSION.match(version)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else (0, 0, 0)


def steps(source: str, target: str) -> int:
    """How many minors lie between two: 1 from 1.35 to 1.36."""
    return ordinal(target)[1] - ordinal(source)[1]


def days_left(until: str, today: date) -> int:
    """Days from `today` until the ISO date `until`; negative when it has passed."""
    return (date.fromisoformat(until) - today).days


def verdict(name: str, component: Component | None, version: str, minor: str) -> Verdict:
    """What is known of this version of a component on this minor."""
    row = f"a row of {name} to generators/data/support.json, with source and date"
    if component is None:
        what = f"nothing is known of the Kubernetes versions that {name} supports"
        return Verdict("recommended", message=what, hint=f"look at its documents, and add {row}")
    series = next((each for each in component.series if each.holds(version)), None)
    if series is None:
        what = f"nothing is known of the Kubernetes versions that {name} {version} supports"
        known = ", ".join(f"{each.start} to before {each.before}" for each in component.series)
        return Verdict("recommended", message=what, hint=f"known: {known}; look at its documents, and add {row}")
    level = series.level(minor)
    told = Verdict(level, series.range(), source=series.source, date=series.date)
    if level == "fits":
        return told
    message = f"{name} {version} does not support Kubernetes {minor}: {series.range()}"
    if level == "recommended":
        message = f"{name} {version} is not tested on Kubernetes {minor}: {series.range()}"
    hint = f"{_cure(component, minor, level)} ({series.source}, {series.date})"
    return Verdict(level, series.range(), message, hint, series.source, series.date)


def _cure(component: Component, minor: str, level: Level) -> str:
    fitting = [each for each in component.series if each.level(minor) == "fits"]
    if fitting:
        return f"take {fitting[-1].start} or newer, before {fitting[-1].before}"
    usable = [each for each in component.series if each.level(minor) == "recommended"]
    if level == "required" and usable:
        return f"take {usable[-1].start} or newer, the newest known, and try it on a development cluster first"
    return "no version that is tested is known: look for a newer one, or try it on a development cluster first"
