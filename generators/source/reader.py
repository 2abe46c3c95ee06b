"""Reads a YAML file into nodes: libyaml's events, and our own strict rules for what a cluster file may hold."""

from __future__ import annotations

import stat
from pathlib import Path

import yaml

from generators.errors import FleetError, Place, Problem
from generators.source import scalars
from generators.source.nodes import Node

MAX_BYTES = 1_000_000
"""A cluster file has some 5,000 bytes; whatever is 200 times that is not one."""
MAX_DEPTH = 50
MAX_NODES = 100_000
"""Aliases count each time they are used, so that a small file cannot stand for a huge tree."""


def read(path: Path, shown: str) -> Node:
    """The document in `path`; errors name it as `shown`. Raises FleetError with all that is wrong."""
    return parse(text(path, shown), shown)


def text(path: Path, shown: str) -> str:
    """What a person wrote in `path`, as UTF-8. Raises FleetError for what cannot be read."""
    try:
        found = path.stat()
        size = found.st_size
        if not stat.S_ISREG(found.st_mode):
            raise _one(Place(shown), "is not a regular file")
        if size > MAX_BYTES:
            raise _one(
                Place(shown), f"the file has {size:,} bytes; the limit is {MAX_BYTES:,}", "is it the right file?"
            )
        data = path.read_bytes()
    except OSError as error:
        raise _one(Place(shown), f"cannot be read: {error.strerror}") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        place = Place(shown, before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        raise _one(place, f"byte 0x{data[error.start]:02x} is not UTF-8", "save the file as UTF-8") from None


def _one(place: Place, message: str, hint: str = "") -> FleetError:
    return FleetError(Problem(place, message, hint=hint))


def parse(text: str, shown: str) -> Node:
    """The one document in `text`, a mapping. Raises FleetError with all that is wrong."""
    builder = _Builder(shown)
    try:
        node = builder.document(text)
    except yaml.YAMLError as error:
        raise FleetError([*builder.problems, _syntax(error, shown, text)]) from None
    except RecursionError:
        raise _one(Place(shown), f"is nested more than {MAX_DEPTH} levels deep") from None
    if builder.problems:
        raise FleetError(builder.problems)
    return node


def _syntax(error: yaml.YAMLError, shown: str, text: str) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    place = Place(shown, mark.line + 1, mark.column + 1) if mark else Place(shown)
    message = " ".join(str(part) for part in (getattr(error, "context", None), getattr(error, "problem", None)) if part)
    line = text.split("\n")[mark.line] if mark and mark.line < text.count("\n") + 1 else ""
    hint = (
        "indent with spaces: YAML takes no tabs" if "\t" in line else "look for a missing colon, quote or indent here"
    )
    if getattr(error, "character", None) is not None:
        return Problem(Place(shown), f"the file holds a character that YAML does not allow ({error})", hint="remove it")
    return Problem(place, message or str(error), hint=hint)


class _Builder:
    """Builds nodes from events, and gathers problems on the way instead of stopping at the first."""

    def __init__(self, shown: str) -> None:
        self.shown = shown
        self.problems: list[Problem] = []
        self.anchors: dict[str, Node | None] = {}
        self.nodes = 0

    def document(self, text: str) -> Node:
        self.events = yaml.parse(text, Loader=yaml.CSafeLoader)
        root: Node | None = None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise _one(self._place(event), "a second document starts here", "one file holds one document")
                root = self._node(next(self.events), 0)
        if root is None or root.value is None:
            raise _one(Place(self.shown), "the file is empty", hint="write what it is for, or remove it")
        if not isinstance(root.value, dict):
            raise _one(root.place, "the file must be a mapping of keys to values", "for example `name: demo`")
        return root

    def _place(self, event: yaml.Event) -> Place:
        mark = event.start_mark
        return Place(self.shown, mark.line + 1, mark.column + 1) if mark else Place(self.shown)

    def _node(self, event: yaml.Event, depth: int) -> Node:
        place = self._place(event)
        if depth > MAX_DEPTH:
            raise _one(place, f"is nested more than {MAX_DEPTH} levels deep")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, place)
        self.nodes += 1
        anchor = getattr(event, "anchor", None)
        if anchor:
            self.anchors[anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event, place)
        elif isinstance(event, yaml.MappingStartEvent):
            node = self._mapping(place, depth)
        else:
            node = self._sequence(place, depth)
        if anchor:
            self.anchors[anchor] = node
        self._tag(event, place)
        return node

    def _tag(self, event: yaml.Event, place: Place) -> None:
        if tag := getattr(event, "tag", None):
            self.problems.append(Problem(place, f"the tag `{tag}` has no meaning here", hint="leave it out"))

    def _alias(self, event: yaml.AliasEvent, place: Place) -> Node:
        node = self.anchors.get(event.anchor or "")
        if node is None:
            known = event.anchor in self.anchors
            what = "stands inside what it repeats: it would never end" if known else "repeats an anchor that is not set"
            raise _one(place, f"the alias `*{event.anchor}` {what}", "write the values out")
        self.nodes += sum(1 for _ in node.scalars())
        if self.nodes > MAX_NODES:
            raise _one(
                place, f"aliases make this file stand for more than {MAX_NODES:,} values", "write the values out"
            )
        return node

    def _scalar(self, event: yaml.ScalarEvent, place: Place) -> Node:
        if event.style not in (None, ""):
            return Node(place, event.value)
        try:
            return Node(place, scalars.read(event.value), event.value)
        except scalars.Ambiguous as error:
            self.problems.append(Problem(place, str(error), hint=error.hint))
            return Node(place, event.value, event.value)

    def _sequence(self, place: Place, depth: int) -> Node:
        items: list[Node] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return Node(place, items)

    def _mapping(self, place: Place, depth: int) -> Node:
        node = Node(place, {})
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(next(self.events), depth + 1)
            self._entry(node, key, value)
        return node

    def _entry(self, node: Node, key: Node, value: Node) -> None:
        assert isinstance(node.value, dict)  # noqa: S101 - narrows the type
        if not isinstance(key.value, str):
            text = key.raw or "a list or mapping"
            hint = f'write `"{key.raw}"`' if key.raw else "keys are words"
            self.problems.append(Problem(key.place, f"`{text}` is not a text, and a key must be one", hint=hint))
        elif key.value == "<<" and key.raw:
            self.problems.append(
                Problem(key.place, "merge keys (`<<`) are not part of YAML 1.2", hint="write the keys out")
            )
        elif key.value in node.value:
            first = node.keys[key.value]
            self.problems.append(
                Problem(key.place, f"`{key.value}` stands twice, first on line {first.line}", hint="keep one")
            )
        else:
            node.value[key.value] = value
            node.keys[key.value] = key.place
