"""Node groups of a cluster file as AWS gets them: names, zones, shares."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from generators.errors import FleetError
from generators.model import names
from generators.model.catalog import Inputs
from generators.model.managed_groups import managed_groups
from generators.pipeline import fleet
from tests.fleets import add, text, workspace

WORKERS = "    min: 0\n    max: 400\n"


def load(folder: Path, *edits: tuple[str, str]) -> Inputs:
    """prod-tokyo with each first text replaced by the second, once."""
    content = text()
    for old, new in edits:
        assert old in content
        content = content.replace(old, new, 1)
    target = workspace(folder)
    add(target, "prod-tokyo", content)
    return fleet.read(target).load("prod-tokyo")


def names_of(inputs: Inputs) -> dict[str, str]:
    return {each.key: each.name for each in managed_groups(inputs.cluster)}


def changed(tmp_path: Path, *edits: tuple[str, str]) -> set[str]:
    """Keys whose name in AWS differs after the edits."""
    before, after = names_of(load(tmp_path / "before")), names_of(load(tmp_path / "after", *edits))
    return {key for key in before if before[key] != after[key]}


def test_a_split_group_is_one_a_zone_with_its_share(tmp_path: Path) -> None:
    mix = "    mix: {on_demand_base: 4}\n"
    inputs = load(tmp_path, (WORKERS, "    min: 2\n    max: 400\n    zonal: true\n" + mix))
    found = [each for each in managed_groups(inputs.cluster) if each.declared == "workers"]
    assert [(each.key, each.zones, each.min, each.max) for each in found] == [
        ("workers-a", ("ap-northeast-1a",), 1, 134),
        ("workers-c", ("ap-northeast-1c",), 1, 133),
        ("workers-d", ("ap-northeast-1d",), 0, 133),
    ]
    assert [each.mix.on_demand_base for each in found if each.mix] == [2, 1, 1]


def test_a_group_stands_in_the_zones_that_it_names(tmp_path: Path) -> None:
    inputs = load(tmp_path, (WORKERS, WORKERS + "    zones: [d, a]\n"))
    found = next(each for each in managed_groups(inputs.cluster) if each.key == "workers")
    assert found.zones == ("ap-northeast-1d", "ap-northeast-1a")


@pytest.mark.parametrize(
    "edit",
    [
        ("[c6i.4xlarge, c5.4xlarge, c5a.4xlarge, c6a.4xlarge]", "[c6i.4xlarge, c5.4xlarge]"),
        (WORKERS, WORKERS + "    zones: [a, c]\n"),
    ],
)
def test_what_aws_cannot_change_in_place_changes_the_name(tmp_path: Path, edit: tuple[str, str]) -> None:
    assert changed(tmp_path, edit) == {"workers"}


def test_a_new_zone_renames_all_but_those_with_zones_of_their_own(tmp_path: Path) -> None:
    pinned = (WORKERS, WORKERS + "    zones: [a, c]\n")
    before = names_of(load(tmp_path / "before", ("[a, c, d]", "[a, c]"), pinned))
    after = names_of(load(tmp_path / "after", pinned))
    assert {key for key in before if before[key] == after[key]} == {"workers"}


@pytest.mark.parametrize(
    "edit",
    [
        (WORKERS, "    min: 1\n    max: 300\n"),
        (WORKERS, WORKERS + "    disk_gb: 300\n    labels: {team: video}\n    max_unavailable: 5\n    repair: false\n"),
        (WORKERS, WORKERS + "    mix: {on_demand_base: 4}\n"),
        ('kubernetes: "1.35"', 'kubernetes: "1.36"'),
        ("zones: [a, c, d]", "zones: [d, c, a]"),
    ],
)
def test_what_aws_changes_in_place_keeps_the_name(tmp_path: Path, edit: tuple[str, str]) -> None:
    assert changed(tmp_path, edit) == set()


def test_the_autoscaler_knows_each_part_by_its_pattern(tmp_path: Path) -> None:
    inputs = load(tmp_path, (WORKERS, WORKERS + "    zonal: true\n"))
    uuid = "f4c1b2c3-93b6-4f4e-9b0e-0123456789ab"
    for each in managed_groups(inputs.cluster):
        assert re.search(names.asg_pattern(each.key), f"eks-{each.name}-{uuid}")


@pytest.mark.parametrize(
    ("edit", "key", "message"),
    [
        ("    zones: [a, b]\n", "zones[1]", "the cluster has no zone `b`"),
        ("    zones: [a, a]\n", "zones[1]", "zone `a` is named twice"),
        ("    zones: []\n", "zones", ""),
    ],
)
def test_refuses_zones_that_are_none(tmp_path: Path, edit: str, key: str, message: str) -> None:
    with pytest.raises(FleetError) as refused:
        load(tmp_path, (WORKERS, WORKERS + edit))
    found = [each for each in refused.value.problems if each.key == f"node_groups.workers.{key}"]
    assert found
    assert message in found[0].message


def test_refuses_a_split_with_fewer_nodes_than_zones(tmp_path: Path) -> None:
    with pytest.raises(FleetError, match="2 nodes in 3 zones leave a zone without any"):
        load(tmp_path, (WORKERS, "    min: 0\n    max: 2\n    zonal: true\n"))


def test_refuses_a_part_with_the_name_of_another_group(tmp_path: Path) -> None:
    other = "  workers-a: {instance_types: [c6i.4xlarge], capacity: spot, min: 0, max: 3}\n"
    with pytest.raises(FleetError, match="its part `workers-a` has the name of"):
        load(tmp_path, (WORKERS, WORKERS + "    zonal: true\n"), ("node_groups:\n", "node_groups:\n" + other))


def test_refuses_more_groups_than_aws_takes(tmp_path: Path) -> None:
    more = "".join(
        f"  more-{number}: {{instance_types: [c6i.xlarge], capacity: spot, min: 0, max: 3, zonal: true}}\n"
        for number in range(9)
    )
    with pytest.raises(FleetError, match="make 33 managed node groups"):
        load(tmp_path, ("node_groups:\n", "node_groups:\n" + more))


def test_refuses_to_discard_data_when_told_once(tmp_path: Path) -> None:
    with pytest.raises(FleetError, match="data is lost only when told twice"):
        load(tmp_path, ("storage:\n", "storage:\n  discard_data: true\n"))
