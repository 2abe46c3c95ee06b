"""The page on costs adds up for the committed clusters."""

from __future__ import annotations

import re

import pytest

from generators.model.catalog import Inputs
from tests.fleets import ROOT, committed

PAGE = (ROOT / "docs" / "how-to" / "expect-costs.md").read_text(encoding="utf-8")
CLUSTERS = ["dev-tokyo", "prod-tokyo"]
HOURS = 730


PRICES, EXAMPLES = PAGE.split("| USD a month |")


def row(table: str, name: str) -> list[str]:
    """The cells of the table row that begins with this name."""
    found = re.search(rf"^\| {re.escape(name)}[^|]*\|(.*)\|$", table, re.MULTILINE)
    assert found, name
    return [cell.strip() for cell in found[1].split("|")]


def price(name: str, index: int = 0) -> float:
    """The price at `index` in a row, as the page has it."""
    return float(re.findall(r"\d+\.\d+", row(PRICES, name)[0])[index])


def said(name: str) -> list[int]:
    return [int(cell.replace(",", "")) for cell in row(EXAMPLES, name)]


def per_month(inputs: Inputs) -> dict[str, float]:
    """What the page's prices make of a cluster file, in USD."""
    network, database = inputs.cluster.network, inputs.cluster.storage.database
    assert database
    zones = len(network.zones)
    copies = 2 if database.multi_az else 1
    hourly = price("RDS db.t4g.medium", ["db.t4g.medium", "db.r6g.large"].index(database.instance_class))
    return {
        "EKS": price("EKS control plane") * HOURS,
        "NAT gateways": price("NAT gateway") * HOURS * (1 if network.nat == "single" else zones),
        "interface endpoints": price("interface endpoint") * HOURS * 4 * zones,
        "ALB": price("ALB") * HOURS,
        "public addresses": price("public IPv4 address") * HOURS * (zones + (1 if network.nat == "single" else zones)),
        "database": copies * (hourly * HOURS + price("RDS storage") * database.storage_gb),
        "keys and secrets": 3,
        "nodes at their minimum": nodes(inputs, "min") * HOURS,
    }


def nodes(inputs: Inputs, bound: str) -> float:
    """USD an hour of all node groups at `min` or `max`, on-demand."""
    instances = inputs.catalog.instances
    groups = inputs.cluster.node_groups.values()
    counts = [(group.min if bound == "min" else group.max, group.instance_types[0]) for group in groups]
    return sum(count * (instances[kind].usd_hour or 0) for count, kind in counts)


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_the_example_adds_up(cluster: str) -> None:
    column = CLUSTERS.index(cluster)
    expected = per_month(committed().load(cluster))
    assert {name: said(name)[column] for name in expected} == {name: round(usd) for name, usd in expected.items()}
    assert abs(said("together")[column] - sum(expected.values())) <= 3  # each line is rounded


def test_what_production_costs_at_its_maximum() -> None:
    assert f"would cost {round(nodes(committed().load('prod-tokyo'), 'max'))} USD an hour" in PAGE
