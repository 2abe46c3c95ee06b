"""Where a part of a built object was written: a file of the base or of the overlay, or a template of a chart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from generators.errors import FleetError, Place
from generators.model import base
from generators.source import reader
from generators.source.nodes import Node

Identity = tuple[object, object]
"""Kind and name."""


@dataclass(frozen=True)
class Origins:
    """Folders of YAML files, each with the path by which errors name it; the first are looked at first."""

    folders: tuple[tuple[Path, str], ...]

    def place(self, document: dict[str, object], path: base.Path) -> Place | None:
        """The place of `path` in the file that says most of it; None where no file has an object of that name."""
        best: tuple[tuple[bool, int], Place] | None = None
        for node in self._written.get(_identity(document), []):
            steps, same = _followed(node, document, path)
            score = (same, len(steps))
            if best is None or score > best[0]:
                best = (score, node.place_of(steps))
        return best and best[1]

    @cached_property
    def _written(self) -> dict[Identity, list[Node]]:
        found: dict[Identity, list[Node]] = {}
        for folder, shown in self.folders:
            for file in sorted(folder.rglob("*.yaml")):
                for node in _documents(file, f"{shown}/{file.relative_to(folder).as_posix()}"):
                    found.setdefault(_identity(node.plain()), []).append(node)
        return found


@dataclass(frozen=True)
class Template:
    """A template of helm, which is no YAML: the place is the one line with the key, or else the file."""

    file: Path
    shown: str

    def place(self, _document: dict[str, object], path: base.Path) -> Place:
        """The line of the last key of `path` that stands once in the file."""
        lines = self.file.read_text(encoding="utf-8").splitlines() if self.file.is_file() else []
        for step in reversed(path):
            key = re.compile(rf"[\s-]*[\"']?({re.escape(str(step))})[\"']?:(\s|$)")
            found = [(number, match) for number, line in enumerate(lines, 1) if (match := key.match(line))]
            if isinstance(step, str) and len(found) == 1:
                number, match = found[0]
                return Place(self.shown, number, match.start(1) + 1)
        return Place(self.shown)


def _documents(file: Path, shown: str) -> Iterator[Node]:
    """The documents of a file. What our strict reader refuses is passed over: kustomize has taken it."""
    lines, text = 0, ""
    with suppress(FleetError):
        text = reader.text(file, shown)
    for part in re.split(r"^(?=---)", text, flags=re.MULTILINE):
        with suppress(FleetError):
            yield reader.parse("\n" * lines + part, shown)
        lines += part.count("\n")


def _identity(document: object) -> Identity:
    found = document if isinstance(document, dict) else {}
    metadata = found.get("metadata")
    return found.get("kind"), metadata.get("name") if isinstance(metadata, dict) else None


def _followed(node: Node, document: object, path: base.Path) -> tuple[base.Path, bool]:
    """As much of `path` as the file has, in the file's own places; and whether it has the very value at its end.

    An item of a list is the one of the same name, as kustomize merges them; without names, the one that is equal.
    """
    steps: list[str | int] = []
    found: Node | None = node
    for step in path:
        document = _child(document, step)
        own = _place_in_list(found, document) if isinstance(step, int) else step
        if own is None or (found := node.find((*steps, own))) is None:
            return tuple(steps), False
        steps.append(own)
    return tuple(steps), bool(found and found.plain() == document)


def _child(document: object, step: str | int) -> object:
    if isinstance(document, dict):
        return document.get(step)
    if isinstance(document, list) and isinstance(step, int) and step < len(document):
        return document[step]
    return None


def _place_in_list(node: Node | None, item: object) -> int | None:
    values = node.value if node and isinstance(node.value, list) else []
    plain = [value.plain() for value in values]
    for index, value in enumerate(plain):
        if isinstance(item, dict) and isinstance(value, dict) and "name" in item and value.get("name") == item["name"]:
            return index
    return plain.index(item) if item in plain else None
