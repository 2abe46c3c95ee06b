"""Edits of a file that a person wrote, by ruamel.yaml's round trip. We are guests: only our own lines may change."""

from __future__ import annotations

import difflib
import io
import re
from itertools import zip_longest
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from generators.errors import wrong
from generators.source import comments, reader
from generators.source.nodes import Node

Path = tuple[str | int, ...]
_STYLES = ((2, 0), (4, 2))
"""Indent of list items and of their dash: the two in use."""
_STEP = re.compile(r'\.?(?:"([^"]+)"|([^.\[\]"]+))|\[(\d{1,6})\]')


def parse_path(text: str) -> Path:
    """`node_groups.workers.labels."a.b/c"` or `network.zones[0]` as steps. Raises FleetError."""
    steps: list[str | int] = []
    end = 0
    for match in _STEP.finditer(text):
        if match.start() != end:
            break
        steps.append(int(match[3]) if match[3] else match[1] or match[2])
        end = match.end()
    if end != len(text) or not steps:
        raise wrong("KEY", f"`{text}` is not a key", hint="for example `node_groups.workers.max` or `network.zones[0]`")
    return tuple(steps)


def parse_value(text: str) -> object:
    """A value as YAML would read it: `50`, `true`, `[a, c]`, `spot`. Raises FleetError."""
    try:
        value = _yaml(*_STYLES[0]).load(text)
    except (YAMLError, ValueError, RecursionError):
        raise wrong("fleet set", f"`{text}` is not a YAML value", hint="quote it for the shell: '[a, c]'") from None
    if value is None:
        raise wrong(
            "fleet set", "an empty value means nothing", hint="to go back to the default, remove the key by hand"
        )
    return value


def quoted(text: str) -> object:
    """A text that will be written in double quotes."""
    return DoubleQuotedScalarString(text)


def set_value(text: str, shown: str, path: Path, value: object) -> str:
    """The text with `path` set, making the mappings on the way. Raises FleetError where other lines would change."""
    yaml, root = _load(text, shown)
    holder, step, new = _nested(*_parent(root, path, shown), value)
    exists = _has(holder, step)
    before = comments.end(holder, step) if exists else comments.tail(holder)
    kept = before and comments.take(before)
    if exists and isinstance(holder[step], DoubleQuotedScalarString) and type(new) is str:
        new = DoubleQuotedScalarString(new)
    holder[step] = new
    if kept:
        comments.give(comments.end(holder, step), kept)
    return _checked(_dumped(yaml, root), text, shown, path)


def remove(text: str, shown: str, path: Path) -> str:
    """The text without `path`, and without mappings that held nothing else; as it was where there is none.

    Raises FleetError.
    """
    yaml, root = _load(text, shown)
    parents: list[Any] = [root]
    for step in path[:-1]:
        parents.append(parents[-1].get(step, {}))
    if path[-1] not in parents[-1]:
        return text
    while len(parents) > 1 and len(parents[-1]) == 1:
        parents.pop()
        path = path[:-1]
    parent = parents[-1]
    kept = comments.take(comments.end(parent, path[-1]))
    siblings = list(parent)
    before = siblings.index(path[-1]) - 1
    del parent[path[-1]]
    if kept and before >= 0:
        comments.give(comments.end(parent, siblings[before]), kept)
    return _checked(_dumped(yaml, root), text, shown, path)


def round_trips(text: str) -> bool:
    """Whether the text can be loaded and dumped without a change."""
    return any(_dumped(yaml, yaml.load(text)) == text for yaml in (_yaml(*style) for style in _STYLES))


def _yaml(sequence: int, offset: int) -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=sequence, offset=offset)
    return yaml


def _load(text: str, shown: str) -> tuple[YAML, CommentedMap]:
    tried = [(yaml, yaml.load(text)) for yaml in (_yaml(*style) for style in _STYLES)]
    for yaml, root in tried:
        if _dumped(yaml, root) == text:
            return yaml, root
    line = max(_first_difference(text, _dumped(*each)) for each in tried)
    hint = "edit it by hand, or write that line as a YAML formatter would; `fleet` changes no lines but its own"
    raise wrong(shown, f"line {line} would be written otherwise than it stands", hint=hint)


def _first_difference(text: str, again: str) -> int:
    pairs = zip_longest(text.split("\n"), again.split("\n"))
    return next(number for number, (old, new) in enumerate(pairs, start=1) if old != new)


def _dumped(yaml: YAML, root: object) -> str:
    out = io.StringIO()
    yaml.dump(root, out)
    return out.getvalue()


def _has(parent: Any, step: str | int) -> bool:
    return step < len(parent) if isinstance(step, int) else step in parent


def _parent(root: CommentedMap, path: Path, shown: str) -> tuple[Any, Path]:
    """The deepest mapping or list on the way that exists, and the steps below it."""
    parent: Any = root
    for index, step in enumerate(path):
        _holds(parent, step, shown)
        if index == len(path) - 1 or not _has(parent, step):
            _only_words(path[index + 1 :], shown)
            return parent, path[index:]
        parent = parent[step]
    raise AssertionError(path)


def _only_words(path: Path, shown: str) -> None:
    """What is made on the way is a mapping; a list that is not there has no items to set."""
    for step in path:
        if isinstance(step, int):
            raise wrong(shown, f"`[{step}]` cannot be set there: there is no such list")


def _nested(holder: Any, path: Path, value: object) -> tuple[Any, Any, Any]:
    """Where to set what: mappings that are missing on the way wrap the value."""
    for step in reversed(path[1:]):
        value = CommentedMap({step: value})
    return holder, path[0], value


def _holds(parent: Any, step: str | int, shown: str) -> None:
    """Raises FleetError where `parent` can hold no such step: a list takes the numbers that it has, a mapping words."""
    fits = isinstance(parent, list) and _has(parent, step) if isinstance(step, int) else isinstance(parent, dict)
    if not fits:
        raise wrong(shown, f"`{step}` cannot be set there: what is above it holds no such thing")


def _checked(after: str, before: str, shown: str, path: Path) -> str:
    """The new text, if it differs from the old in `path` only, and keeps every comment outside of it."""
    old, new = reader.parse(before, shown), reader.parse(after, shown)
    matcher = difflib.SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False)
    hunks = [(low, high) for tag, low, high, *_ in matcher.get_opcodes() if tag != "equal"]
    first, last = _lines(old, path)
    elsewhere = any(low < high and not first <= low + 1 <= high <= last for low, high in hunks)
    if len(hunks) > 1 or elsewhere or _without(old, path) != _without(new, path):
        raise wrong(shown, "this edit would change lines that are not its own", hint="make it by hand")
    return after


def _lines(node: Node, path: Path) -> tuple[int, int]:
    """First and last line of what stands at `path`; where nothing does, of its nearest ancestor."""
    found = node.find(path)
    if found is None:
        return _lines(node, path[:-1]) if path else (1, 10**9)
    return node.place_of(path, of_key=True).line, max(each.line for each in found.places())


def _without(node: Node, path: Path) -> object:
    """The document with what the edit is about left out, and the mappings that it may make on the way."""
    document: Any = node.plain()
    parents = [document]
    for step in path[:-1]:
        inner = parents[-1][step] if _has(parents[-1], step) else None
        if not isinstance(inner, (dict, list)):
            break
        parents.append(inner)
    if _has(parents[-1], path[len(parents) - 1]):
        parents[-1][path[len(parents) - 1]] = None
    for parent, step in reversed(list(zip(parents, path, strict=False))):
        if isinstance(parent, dict) and parent.get(step, "") in (None, {}):
            del parent[step]
    return document
