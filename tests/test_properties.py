"""Cluster files mutated by the thousand: never a traceback, never a partial write, always the same bytes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generators.errors import FleetError, Problem
from generators.output import disk, yaml_text
from generators.output.text import texts
from generators.pipeline import fleet
from generators.pipeline.render import render_cluster
from generators.renderers import render
from generators.source import clusters, reader
from tests import fleets

LINES = fleets.text("dev-tokyo").splitlines()
JUNK = [
    *(
        "",
        "null",
        "true",
        "no",
        "-1",
        "0",
        "99999999999999999999",
        "1e309",
        "1.5",
        "0x1F",
        "''",
        '"é"',
        "日本",
        "[]",
        "{}",
    ),
    *("[[[]]]", "{a: {b: c}}", "*loop", "&a x", "!!binary x", "<<: *a", "\t", "\\", '"\\ud800"', '"\\0"', "a: b: c"),
    *("- -", "..", "../x", "10.0.0.0/8", "0.0.0.0/0", "10.20.0.0/16", "spot", "m6i.large", "g5.xlarge", "x" * 300),
    *(
        "#",
        "? a",
        "%YAML 9.9",
        "---",
        "...",
        "|",
        ">",
        "@",
        "`",
        "'",
        "{",
        "[",
        "}",
        ":",
        ",",
        "\x7f",
        "\u2028",
        "\ufeff",
    ),
]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """dev-tokyo's file with some lines dropped, doubled, moved, or their values replaced."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        kind = draw(st.sampled_from(["value", "value", "value", "drop", "double", "indent", "insert", "key"]))
        key, colon, _ = lines[at].partition(":")
        junk = draw(st.sampled_from(JUNK) | st.text(max_size=12))
        if kind == "value":
            lines[at] = f"{key}{colon} {junk}"
        elif kind == "key":
            lines[at] = f"{key[: len(key) - len(key.lstrip())]}{junk}{colon}{lines[at].partition(':')[2]}"
        elif kind == "drop" and len(lines) > 1:
            del lines[at]
        elif kind == "double":
            lines.insert(at, lines[at])
        elif kind == "indent":
            lines[at] = " " * draw(st.integers(1, 3)) + lines[at]
        else:
            lines.insert(at, junk)
    return "\n".join(lines) + "\n"


@settings(max_examples=2000, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutated())
def test_a_mutated_file_renders_the_same_twice_or_fails_with_a_place(text: str) -> None:
    told = problems_of(lambda: twice(text))
    assert all(problem.place.file.startswith("clusters/") and problem.message for problem in told)


def problems_of(work: Callable[[], object]) -> list[Problem]:
    """What is wrong, or nothing; any other exception than ours goes through and fails the test."""
    try:
        work()
    except FleetError as error:
        return error.problems
    return []


def twice(text: str) -> None:
    found = fleets.committed()
    node = reader.parse(text, "clusters/dev-tokyo/cluster.yaml")
    inputs = clusters.check(found.workspace, "dev-tokyo", node, found.defaults, found.catalog)
    first, second = (texts(render(inputs), "dev-tokyo") for _ in range(2))
    assert first == second


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutated())
def test_a_mutated_file_leaves_its_folder_whole(text: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        workspace = fleets.workspace(Path(name) / "checkout")
        folder = fleets.add(workspace, "dev-tokyo", fleets.text("dev-tokyo"))
        found = fleet.read(workspace)
        assert render_cluster(found, "dev-tokyo", "write").problems == []
        before = {path: path.read_bytes() for path in folder.rglob("generated/**/*") if path.is_file()}
        (folder / "cluster.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
        outcome = render_cluster(found, "dev-tokyo", "write")
        after = {path: path.read_bytes() for path in folder.rglob("generated/**/*") if path.is_file()}
        assert not outcome.problems or after == before
        assert sorted(path.name for path in folder.iterdir()) == ["cluster.yaml", disk.GENERATED]


@settings(max_examples=1000, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "cluster.yaml"
        path.write_bytes(data)
        assert all(problem.place.file == "f" for problem in problems_of(lambda: reader.read(path, "f")))


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=1000, deadline=None)
@given(st.dictionaries(st.text(min_size=1), documents, min_size=1, max_size=4))
def test_what_is_written_as_yaml_is_read_back_equal(document: dict[str, object]) -> None:
    assert yaml.safe_load(yaml_text.dump(document)) == document


@pytest.mark.parametrize(
    "word", ["no", "on", "1e3", "0o17", "0x1f", "1_000", "12:30", "y", "null", "~", "1.30", "-", ".5", "=", "<<"]
)
def test_words_that_some_reader_takes_for_something_else_are_quoted(word: str) -> None:
    assert yaml_text.dump({"key": word}) in (f"key: '{word}'\n", f'key: "{word}"\n')


def test_clusters_render_to_the_same_bytes_in_any_order() -> None:
    found = fleets.committed()
    names = found.workspace.names()
    straight = {name: texts(render(found.load(name)), name) for name in names}
    assert {name: texts(render(found.load(name)), name) for name in reversed(names)} == straight
