"""How jsonnet is written here. jsonnetfmt would need Go; these are the parts of it that a reader trips over."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.fleets import ROOT

FILES = sorted([*ROOT.glob("apps/*/*.jsonnet"), *ROOT.glob("apps/*/*.libsonnet")])
STRINGS = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|//.*""")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_jsonnet_is_formatted(path: Path) -> None:
    assert wrong(path.read_text(encoding="utf-8")) == []


def wrong(text: str) -> list[str]:
    found = [] if text.endswith("\n") and not text.endswith("\n\n") else ["end of file"]
    for number, line in enumerate(text.splitlines(), start=1):
        if "\t" in line or line != line.rstrip() or len(line) > 120:
            found.append(f"{number}: tab, trailing space or more than 120 columns")
        found += [
            f"{number}: {each} needs no double quotes" for each in STRINGS.findall(line) if re.match("\"[^']*$", each)
        ]
    return found


@pytest.mark.parametrize("text", ["{ a: 'b'} \n", '{ a: "b" }\n', "{\n\ta: 1 }\n", "{}", "{}\n\n"])
def test_what_is_not_formatted_is_seen(text: str) -> None:
    assert wrong(text)
