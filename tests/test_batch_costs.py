"""The page on batches: its figures follow from the instance data, and its options are the worker's."""

from __future__ import annotations

import re

import pytest
from inference_worker.__main__ import HELP

from tests.fleets import ROOT, committed

PAGE = (ROOT / "docs" / "how-to" / "run-a-batch.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\S+\.\S*large) \| (.*) \|$", PAGE, re.MULTILINE)
SPOT = 1 / 3
"""Of the on-demand price, as the page on costs has it."""
PACES = (30, 100)


def test_there_are_rows_for_gpu_nodes_and_others() -> None:
    kinds = committed().load("prod-tokyo").catalog.instances
    assert {bool(kinds[name].gpus) for name, _ in ROWS} == {True, False}


@pytest.mark.parametrize(("name", "cells"), ROWS)
def test_a_thousand_movie_minutes_cost_what_the_prices_say(name: str, cells: str) -> None:
    hour = committed().load("prod-tokyo").catalog.instances[name].usd_hour
    assert hour
    costs = [hour / 60 * 1000 / pace * part for pace in PACES for part in (1, SPOT)]
    assert cells == " | ".join([f"{hour:.3f}", *(f"{cost:.2f}" for cost in costs)])


def test_every_option_that_it_names_is_one() -> None:
    """Of the worker, of its `fetch` and `warm`, or of `fleet jobs`."""
    reference = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    of_jobs = re.findall(
        r"--([a-z][a-z-]+)", "".join(re.findall(r"^## fleet jobs.*?(?=^## )", reference, re.MULTILINE | re.DOTALL))
    )
    named = set(re.findall(r"--([a-z][a-z-]+)", PAGE)) - {"laptop", "help"}
    others = named - set(HELP)
    assert others <= {*of_jobs, "folder", "limit-mib"}, others - {*of_jobs}
