"""What people trip over in YAML gets a place, a sentence and a hint."""

from __future__ import annotations

from pathlib import Path

import pytest

from generators.errors import FleetError
from generators.source import reader


def problems(text: str) -> str:
    with pytest.raises(FleetError) as caught:
        reader.parse(text, "clusters/c/cluster.yaml")
    return str(caught.value)


TRAPS = {
    "no for a word": ("a: no\n", "c/cluster.yaml:1:4: plain `no` is a boolean to some readers", 'hint: write `"no"`'),
    "on as a key": ("on: 1\n", ":1:1: plain `on` is a boolean", 'hint: write `"on"`'),
    "lost zero": (
        "account: 012345678901\n",
        ":1:10: plain `012345678901` is read as different numbers",
        'write `"0123',
    ),
    "sexagesimal": ("at: 12:30\n", ":1:5: plain `12:30`", 'write `"12:30"`'),
    "underscores": ("n: 1_000\n", ":1:4: plain `1_000`", 'write `"1_000"`'),
    "date": ("day: 2026-01-02\n", ":1:6: plain `2026-01-02` is a date", 'write `"2026-01-02"`'),
    "duplicate": ("a: 1\nb: 2\na: 3\n", ":3:1: `a` stands twice, first on line 1", "hint: keep one"),
    "tab": ("a:\n\tb: 1\n", ":2:1: ", "hint: indent with spaces: YAML takes no tabs"),
    "loop": ("a: &x\n  b: *x\n", ":2:6: the alias `*x` stands inside what it repeats", "hint: write the values out"),
    "unknown anchor": (
        "a: *x\n",
        ":1:4: the alias `*x` repeats an anchor that is not set",
        "hint: write the values out",
    ),
    "merge key": ("a: &x {b: 1}\nc:\n  <<: *x\n", ":3:3: merge keys (`<<`)", "hint: write the keys out"),
    "tag": ("a: !!python/object:os.system x\n", ":1:4: the tag", "hint: leave it out"),
    "number as a key": ("1: x\n", ":1:1: `1` is not a text", 'hint: write `"1"`'),
    "two documents": ("a: 1\n---\nb: 2\n", ":2:1: a second document starts here", "hint: one file holds one document"),
    "empty": ("# nothing\n", "cluster.yaml: the file is empty", ""),
    "a list": ("- a\n", ":1:1: the file must be a mapping", "hint: for example"),
    "unclosed": ("a: [1, 2\nb: 3\n", ":2:2: ", "hint: look for a missing colon, quote or indent"),
    "control character": ("a: \x01\n", "character that YAML does not allow", "hint: remove it"),
    "too deep": ("a: " + "[" * 60 + "]" * 60, "is nested more than 50 levels deep", ""),
    "far too deep": ("a: " + "[" * 100_000, "nest", ""),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_each_trap_is_told_with_place_and_hint(trap: str) -> None:
    text, message, hint = TRAPS[trap]
    told = problems(text)
    assert message in told
    assert hint in told


def test_aliases_cannot_stand_for_a_huge_tree() -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "stand for more than 100,000 values" in problems("\n".join(lines))


def test_all_problems_come_at_once_in_file_order() -> None:
    told = problems("a: no\nb: 0123\nb: yes\n")
    assert [line.split(": ")[1].rsplit("yaml", 1)[1] for line in told.splitlines() if "error" in line] == [
        ":1:4",
        ":2:4",
        ":3:1",
        ":3:4",
    ]


def test_harmless_aliases_and_quotes_are_fine() -> None:
    node = reader.parse('a: &x [1, two, "no"]\nb: *x\nc: "012"\nd: true\ne: 1.5\nf: null\n', "f")
    assert node.plain() == {"a": [1, "two", "no"], "b": [1, "two", "no"], "c": "012", "d": True, "e": 1.5, "f": None}
    assert str(node.place_of(("a", 1))) == "f:1:11"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: \xff\n", "cluster.yaml:1:4: byte 0xff is not UTF-8"),
        (b"a: 1\nb: \xe3\x81\n", "cluster.yaml:2:4: byte 0xe3 is not UTF-8"),
        (b"x" * 50_000_000, "the file has 50,000,000 bytes; the limit is 1,000,000"),
    ],
)
def test_files_that_are_no_text_or_too_large(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_bytes(content)
    with pytest.raises(FleetError, match=r"cluster\.yaml") as caught:
        reader.read(path, "clusters/c/cluster.yaml")
    assert message in str(caught.value)


def test_a_folder_in_place_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(FleetError, match="is not a regular file"):
        reader.read(tmp_path, "clusters/c/cluster.yaml")
