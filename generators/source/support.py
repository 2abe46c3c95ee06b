"""Reads the reference facts of an upgrade. Apart from the catalogue, because nothing else asks for them."""

from __future__ import annotations

import json
from functools import cache

from generators.model.support import Component, Family, Series, Support
from generators.source.catalog import DATA


@cache
def load() -> Support:
    """`data/support.json`."""
    found = json.loads((DATA / "support.json").read_bytes())
    components = {
        name: Component(facts["kind"], facts["name"], tuple(_series(row) for row in facts["series"]))
        for name, facts in found["components"].items()
    }
    families = {prefix: Family(facts["newest"], facts["device_plugin"]) for prefix, facts in found["families"].items()}
    return Support(components, families)


def _series(row: dict[str, object]) -> Series:
    facts = dict(row)
    start, tested = facts.pop("from"), facts.pop("tested", None)
    return Series(start, tested=tuple(tested) if isinstance(tested, list) else None, **facts)  # type: ignore[arg-type]
