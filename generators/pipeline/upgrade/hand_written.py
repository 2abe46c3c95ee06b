"""Where a person wrote a text that a rendered object holds, where its own path leads nowhere.

Such are what jsonnet makes, a tag in a kustomization.yaml or in the values of a chart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from generators.errors import Place
from generators.model.catalog import App

_SUFFIXES = frozenset({".yaml", ".yml", ".tpl", ".jsonnet", ".libsonnet"})
_WINDOW = 400
"""Characters around a find in which words beside it count: an object's head is that close."""


def find(root: Path, name: str, app: App, texts: Sequence[str], beside: Sequence[str] = ()) -> Place | None:
    """The place of the first of `texts` that stands in the app's own files, with most of the words of `beside` near it.

    `root` is the checkout. None where none of them does.
    """
    files = list(_files(root, name, app))
    for text in texts:
        pattern = re.compile(rf"(?<![\w./:-]){re.escape(text)}(?![\w./:-])")
        found = [
            (_near(content, match.start(), beside), number, match.start(), path, content)
            for number, (path, content) in enumerate(files)
            for match in pattern.finditer(content)
        ]
        if found:
            *_, start, path, content = min(found)
            return Place(path, content.count("\n", 0, start) + 1, start - content.rfind("\n", 0, start))
    return None


def _near(content: str, start: int, beside: Sequence[str]) -> tuple[int, int]:
    """How many of the words do not stand on the same line, and near it, in the same document of a YAML file."""
    line = content[content.rfind("\n", 0, start) + 1 : (content + "\n").index("\n", start)]
    low = content.rfind("\n---", max(0, start - _WINDOW), start)
    high = content.find("\n---", start, start + _WINDOW)
    part = content[max(low, start - _WINDOW, 0) : high if high >= 0 else start + _WINDOW]
    return _missing(beside, line), _missing(beside, part)


def _missing(words: Sequence[str], text: str) -> int:
    return sum(not re.search(rf"\b{re.escape(word)}\b", text) for word in words)


def _files(root: Path, name: str, app: App) -> Iterator[tuple[str, str]]:
    folders = [f"apps/{name}", *([f"charts/{app.own_chart}"] if app.own_chart else [])]
    folders += ["apps/lib"] if app.kind == "jsonnet" else []
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in _SUFFIXES and path.is_file() and path.name != "app.yaml":
                yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8", errors="replace")
