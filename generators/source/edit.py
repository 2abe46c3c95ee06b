"""Edits of a file that a person wrote, by ruamel.yaml's round trip. We are guests: only our own lines may change."""

from __future__ import annotations

import difflib
import io
import re
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import CommentMark, YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString
from ruamel.yaml.tokens import CommentToken

from generators.errors import wrong

Path = tuple[str | int, ...]
_STYLES = ((2, 0), (4, 2))
"""Indent of list items and of their dash: the two in use."""
_STEP = re.compile(r'\.?(?:"([^"]+)"|([^.\[\]"]+))|\[(\d+)\]')


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
        raise wrong(
            "fleet set", f"`{text}` is not a key", hint="for example `node_groups.workers.max` or `network.zones[0]`"
        )
    return tuple(steps)


def parse_value(text: str) -> object:
    """A value as YAML would read it: `50`, `true`, `[a, c]`, `spot`. Raises FleetError."""
    try:
        return _yaml(*_STYLES[0]).load(text)
    except YAMLError:
        raise wrong("fleet set", f"`{text}` is not a YAML value", hint="quote it for the shell: '[a, c]'") from None


def quoted(text: str) -> object:
    """A text that will be written in double quotes."""
    return DoubleQuotedScalarString(text)


def set_value(text: str, shown: str, path: Path, value: object) -> str:
    """The text with `path` set, making the mappings on the way. Raises FleetError where other lines would change."""
    yaml, root = _load(text, shown)
    holder, step, new = _nested(*_parent(root, path, shown), value)
    if _has(holder, step):
        old = holder[step]
        holder[step] = (
            DoubleQuotedScalarString(new) if isinstance(old, DoubleQuotedScalarString) and type(new) is str else new
        )
    else:
        before = _tail(holder)
        holder[step] = new
        _hand_on_comments(before, _tail(holder))
    return _dump(yaml, root, text, shown)


def remove(text: str, shown: str, path: Path) -> str:
    """The text without `path`; as it was where there is none. Raises FleetError."""
    yaml, root = _load(text, shown)
    parent: Any = root
    for step in path[:-1]:
        parent = parent.get(step, {})
    if path[-1] not in parent:
        return text
    del parent[path[-1]]
    return _dump(yaml, root, text, shown)


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
    for style in _STYLES:
        yaml = _yaml(*style)
        root = yaml.load(text)
        if _dumped(yaml, root) == text:
            return yaml, root
    again = _dumped(yaml, root).splitlines()
    pairs = zip(text.splitlines(), again, strict=False)
    line = next((number for number, (old, new) in enumerate(pairs, start=1) if old != new), 1)
    hint = "edit it by hand, or write that line as a YAML formatter would; `fleet` changes no lines but its own"
    raise wrong(shown, f"line {line} would be written otherwise than it stands", hint=hint)


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


def _tail(holder: Any) -> tuple[Any, Any]:
    """The container and key of the last line of a block: comments up to the next key hang there."""
    last = next(reversed(holder)) if isinstance(holder, dict) else len(holder) - 1
    value = holder[last]
    block = isinstance(value, (CommentedMap, CommentedSeq)) and len(value) and not value.fa.flow_style()
    return _tail(value) if block else (holder, last)


def _hand_on_comments(old: tuple[Any, Any], new: tuple[Any, Any]) -> None:
    """Blank lines and comments after the old last line belong to what follows, so they move after the new one."""
    slot = 2 if isinstance(old[0], dict) else 0
    tokens = old[0].ca.items.get(old[1])
    token = tokens[slot] if tokens else None
    if token is None or "\n" not in token.value:
        return
    inline, _, rest = token.value.partition("\n")
    if rest:
        token.value = f"{inline}\n"
        if not inline:
            tokens[slot] = None
        new[0].ca.items[new[1]] = [None, None, CommentToken(f"\n{rest}", CommentMark(0), None), None]


def _holds(parent: Any, step: str | int, shown: str) -> None:
    """Raises FleetError where `parent` can hold no such step: a list takes the numbers that it has, a mapping words."""
    fits = isinstance(parent, list) and _has(parent, step) if isinstance(step, int) else isinstance(parent, dict)
    if not fits:
        raise wrong(shown, f"`{step}` cannot be set there: what is above it holds no such thing")


def _dump(yaml: YAML, root: CommentedMap, before: str, shown: str) -> str:
    after = _dumped(yaml, root)
    matcher = difflib.SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False)
    if sum(1 for tag, *_ in matcher.get_opcodes() if tag != "equal") > 1:
        raise wrong(shown, "this edit would change lines that are not its own", hint="make it by hand")
    return after
