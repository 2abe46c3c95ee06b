"""Days left of AWS's support, around each date; and what a minor's dates make of an upgrade to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from typer.testing import Result

from generators.model.support import days_left
from generators.source.workspace import Workspace
from tests import fleets, upgrade_scene

Fleet = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("at_134")


@pytest.fixture
def at_134(workspace: Workspace) -> Workspace:
    fleets.add(workspace, "demo", fleets.text().replace("prod-tokyo", "demo").replace('"1.35"', '"1.34"'))
    return workspace


def looked(fleet: Fleet, target: str, today: str) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Exit code, the report, and what is said of support: level → message."""
    result = fleet("upgrade", "demo", "--to", target, "--today", today, "-o", "json")
    facts = json.loads(result.stdout)
    levels = ("required", "recommended")
    said = {level: each["message"] for level in levels for each in facts[level] if each["check"] == "support"}
    return result.exit_code, facts, said


@pytest.mark.parametrize(
    ("today", "left"),
    [("2026-12-01", 1), ("2026-12-02", 0), ("2026-12-03", -1), ("2026-02-28", 277), ("2028-02-29", -454)],
)
def test_days_left_count_to_the_day_itself(today: str, left: int) -> None:
    assert days_left("2026-12-02", date.fromisoformat(today)) == left


@pytest.mark.parametrize(
    ("today", "code", "level", "message"),
    [
        ("2025-10-05", 1, "required", "EKS has 1.34 from 2025-10-06 on, in 1 day"),
        ("2025-10-06", 0, "", ""),
        ("2026-10-02", 0, "", ""),
        ("2026-10-03", 0, "recommended", "standard support of 1.34 ends on 2026-12-02, in 60 days"),
        ("2026-12-02", 0, "recommended", "standard support of 1.34 ends on 2026-12-02, in 0 days"),
        ("2026-12-03", 0, "recommended", "standard support of 1.34 ended on 2026-12-02"),
        ("2027-12-02", 0, "recommended", "standard support of 1.34 ended on 2026-12-02"),
        ("2027-12-03", 1, "required", "extended support of 1.34 ended on 2027-12-02"),
    ],
)
def test_support_around_its_dates(fleet: Fleet, today: str, code: int, level: str, message: str) -> None:
    exit_code, _, said = looked(fleet, "1.34", today)
    assert exit_code == code
    assert list(said) == ([level] if level else [])
    assert message in said.get(level, "")


def test_an_upgrade_to_a_minor_that_eks_does_not_have_yet_is_not_for_today(fleet: Fleet) -> None:
    code, _, said = looked(fleet, "1.35", "2026-01-27")
    assert code == 1
    assert said == {"required": "EKS has 1.35 from 2026-01-28 on, in 1 day"}
    assert looked(fleet, "1.35", "2026-01-28")[0] == 0


def test_days_left_of_both_minors_are_told(fleet: Fleet) -> None:
    minors = looked(fleet, "1.35", "2026-11-23")[1]["minors"]
    assert (minors["1.34"]["standard_days_left"], minors["1.34"]["extended_days_left"]) == (9, 374)
    text = fleet("upgrade", "demo", "--to", "1.35", "--today", "2026-12-03").stdout
    assert (
        "1.34: standard support until 2026-12-02 (ended 1 day ago), extended until 2027-12-02 (364 days left)" in text
    )


def test_today_comes_from_the_environment_too(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEET_TODAY", "2026-11-23")
    assert json.loads(fleet("upgrade", "demo", "-o", "json").stdout)["today"] == "2026-11-23"
    monkeypatch.delenv("FLEET_TODAY")
    assert json.loads(fleet("upgrade", "demo", "-o", "json").stdout)["today"] >= upgrade_scene.TODAY
