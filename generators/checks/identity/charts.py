"""ServiceAccounts that third-party charts make from values: the effective ones, every file in its order."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path as File
from typing import Any

from generators.checks.identity.evidence import Account, Spot, texts
from generators.checks.policy.objects import mapping

DATA = File(__file__).parents[2] / "data"
RELEASE_LIMIT = 63
"""Characters of a full name in every chart's helper."""


@dataclass(frozen=True)
class ChartAccount:
    """One ServiceAccount of a chart. `env` is the value path of its pods' environment, where they call AWS."""

    path: str
    """Where the chart takes `create`, `name` and `annotations`; empty where it takes none of them."""
    name: str
    """Its name where the values give none; `{fullname}` stands for the release's full name."""
    pods: str
    in_values: bool = False
    """Whether that name stands in the chart's own values, rather than being made where none is given."""
    create: bool = True
    when: Mapping[str, bool] = field(default_factory=dict)
    """The value that turns its component on, and the chart's default of it."""
    sdk: str = ""
    """What its pods call AWS with; empty where they do not."""
    reads: tuple[str, ...] | None = None
    """Variables that the program reads, where they are not all that its SDK does."""
    env: str = ""
    calls_when: str = ""
    """The value that makes its pods call AWS, where not all ways of running do."""
    note: str = ""

    @property
    def steps(self) -> tuple[str, ...]:
        """The value path as a path."""
        return tuple(self.path.split(".")) if self.path else ()


@dataclass(frozen=True)
class ChartFacts:
    """What is known of a chart: where it was read, its full name's default, its ServiceAccounts."""

    source: str
    accounts: tuple[ChartAccount, ...]
    default_name: str = ""
    exact: bool = False
    """Whether the full name is the release's only where the two are equal, rather than one within the other."""
    static_keys: tuple[str, ...] = ()
    """Value paths that take an access key."""


@cache
def catalogue() -> Mapping[str, ChartFacts]:
    """Chart → its facts, from `data/chart_accounts.json`."""
    charts = json.loads((DATA / "chart_accounts.json").read_bytes())["charts"]
    return {name: ChartFacts(**{**facts, "accounts": _accounts(facts)}) for name, facts in charts.items()}


def _accounts(facts: Mapping[str, Any]) -> tuple[ChartAccount, ...]:
    return tuple(ChartAccount(**each) for each in facts["accounts"])


@cache
def reads(sdk: str) -> tuple[str, ...]:
    """Environment variables that programs of an SDK read, from `data/aws_sdks.json`."""
    return tuple(json.loads((DATA / "aws_sdks.json").read_bytes())["reads"][sdk])


@dataclass(frozen=True)
class Release:
    """A third-party chart as an app has it. `values` are all values files merged, the last word last."""

    app: str
    namespace: str
    chart: str
    values: Mapping[str, object]

    @property
    def facts(self) -> ChartFacts:
        """What is known of the chart; nothing for one that is not catalogued."""
        return catalogue().get(self.chart, ChartFacts("", ()))

    @property
    def spot(self) -> Spot:
        """Its values."""
        return Spot("values", self.app)

    def value(self, path: str, default: object = None) -> object:
        """The value at a dotted path, or `default` where no file sets it."""
        found: object = self.values
        for step in path.split("."):
            if not isinstance(found, dict) or step not in found:
                return default
            found = found[step]
        return found

    def active(self) -> Iterator[ChartAccount]:
        """ServiceAccounts of the components that are on."""
        for each in self.facts.accounts:
            if all(self.value(path, default) for path, default in each.when.items()):
                yield each

    def calls_aws(self, each: ChartAccount) -> bool:
        """Whether its pods call AWS, the way that they run here."""
        return bool(each.sdk) and (not each.calls_when or bool(self.value(each.calls_when)))

    def accounts(self) -> Iterator[Account]:
        """The effective ServiceAccounts, off components included where a value annotates them."""
        active = set(map(id, self.active()))
        for each in self.facts.accounts:
            given = mapping(self.value(each.path, {})) if each.path else {}
            annotations = texts(given.get("annotations"))
            if id(each) in active or annotations:
                made = bool(given.get("create", each.create)) and id(each) in active
                name = str(given.get("name") or (self._default(each) if made or each.in_values else "default"))
                yield Account(self.app, self.namespace, name, annotations, self.spot, each.steps, made)

    def _default(self, each: ChartAccount) -> str:
        return each.name.replace("{fullname}", self.fullname())

    def fullname(self) -> str:
        """What the chart's helper makes of the release's name, which Argo CD takes from the app."""
        given = self.value("fullnameOverride")
        base = str(self.value("nameOverride") or self.facts.default_name or self.chart)
        same = base == self.app if self.facts.exact else base in self.app
        whole = str(given) if given else self.app if same else f"{self.app}-{base}"
        return whole[:RELEASE_LIMIT].removesuffix("-")
