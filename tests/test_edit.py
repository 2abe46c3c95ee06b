"""Edits by a tool keep every other line of a person's file as it stands."""

from __future__ import annotations

from string import Template

import pytest

from generators.errors import FleetError
from generators.source import edit
from tests import fleets

TEXT = """\
# about this cluster
name: demo   # its name
kubernetes: "1.35"

node_groups:
  # the big one
  workers: {max: 3, min: 0}   # inline
  gpu:
    max: 1

# where it runs
zones:
- a
- c
"""


@pytest.mark.parametrize(
    ("key", "value", "old", "new"),
    [
        ("kubernetes", "1.36", 'kubernetes: "1.35"', 'kubernetes: "1.36"'),
        ("node_groups.workers.max", 50, "{max: 3, min: 0}   #", "{max: 50, min: 0}  #"),
        ("node_groups.gpu.max", 9, "    max: 1\n", "    max: 9\n"),
        ("zones[1]", "d", "- c\n", "- d\n"),
        ("name", "other", "name: demo   # its name", "name: other  # its name"),
        ("node_groups.gpu.labels", edit.parse_value("{a: b}"), "    max: 1\n", "    max: 1\n    labels: {a: b}\n"),
        ("storage.database.multi_az", True, "- c\n", "- c\nstorage:\n  database:\n    multi_az: true\n"),
        ('node_groups.gpu.labels."a.b/c"', "x", "    max: 1\n", "    max: 1\n    labels:\n      a.b/c: x\n"),
        ("region", "us-east-1", "- c\n", "- c\nregion: us-east-1\n"),
    ],
)
def test_only_the_lines_of_the_key_change(key: str, value: object, old: str, new: str) -> None:
    assert edit.set_value(TEXT, "f", edit.parse_path(key), value) == TEXT.replace(old, new)


def test_a_key_is_removed_with_nothing_else() -> None:
    assert edit.remove(TEXT, "f", ("node_groups", "gpu", "max")) == TEXT.replace("  gpu:\n    max: 1\n", "")
    assert edit.remove(TEXT, "f", ("kubernetes",)) == TEXT.replace('kubernetes: "1.35"\n', "")
    assert edit.remove(TEXT, "f", ("storage", "bucket")) == TEXT


@pytest.mark.parametrize("text", ["a:   1\nb: 2\n", "a: {b: 1,  c: 2}\n", "a:\n    - 1\n    - 2\nb:\n- 1\n"])
def test_a_file_that_would_be_written_otherwise_is_refused(text: str) -> None:
    with pytest.raises(FleetError, match=r"line \d would be written otherwise than it stands"):
        edit.set_value(text, "f", ("b",), 3)


@pytest.mark.parametrize("key", ["", "a..b", "a[x]", ".", "[", "a["])
def test_keys_that_are_none_are_refused(key: str) -> None:
    with pytest.raises(FleetError, match="is not a key"):
        edit.parse_path(key)


@pytest.mark.parametrize("key", ["name.first", "zones[7]", "zones.x", "node_groups[0]", "missing[0].a"])
def test_paths_that_lead_nowhere_are_refused(key: str) -> None:
    with pytest.raises(FleetError, match="cannot be set there"):
        edit.set_value(TEXT, "f", edit.parse_path(key), 1)


@pytest.mark.parametrize("cluster", ["dev-tokyo", "prod-tokyo"])
def test_committed_files_load_and_dump_to_the_same_bytes(cluster: str) -> None:
    assert edit.round_trips(fleets.text(cluster))


def test_the_template_loads_and_dumps_to_the_same_bytes() -> None:
    path = fleets.ROOT / "generators" / "source" / "cluster_template.yaml"
    filled = Template(path.read_text()).substitute(name="demo", environment="staging", vpc_cidr="x", zones="a, c")
    assert edit.round_trips(filled)


@pytest.mark.parametrize("path", [("a",), ("d", "b")])
def test_an_edit_that_would_reach_further_than_its_key_is_refused(path: edit.Path) -> None:
    shared = "a: &x {b: 1}\nc: 2\nd: *x\ne: 3\n"
    with pytest.raises(FleetError, match="would change lines that are not its own"):
        edit.set_value(shared, "f", path, 5)


def test_comments_of_the_next_key_outlive_the_value_before_them() -> None:
    text = "a:\n  b: 1   # inline\n\n# about c\nc: {}\n# the end\n"
    for value in ("{b: 2}", "5", "[1, 2]"):
        after = edit.set_value(text, "f", ("a",), edit.parse_value(value))
        assert after == f"a: {value}\n\n# about c\nc: {{}}\n# the end\n"
    assert edit.set_value(text, "f", ("c", "d", "e"), 1) == text.replace("c: {}", "c:\n  d:\n    e: 1")


@pytest.mark.parametrize("value", ["2026-13-45", "!!int x", "[" * 2000, "1" * 5000, "null", "~", ""])
def test_values_that_mean_nothing_are_refused(value: str) -> None:
    with pytest.raises(FleetError):
        edit.set_value(TEXT, "f", ("name",), edit.parse_value(value))


def test_a_removal_that_would_lose_the_next_keys_comment_is_refused() -> None:
    with pytest.raises(FleetError, match="would change lines that are not its own"):
        edit.remove("a: 1\n\n# about b\nb: 2\n", "f", ("a",))
