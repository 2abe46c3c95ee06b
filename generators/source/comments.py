"""Comments in ruamel.yaml's round trip hang at the line before them, though they speak of what follows."""

from __future__ import annotations

from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import CommentMark
from ruamel.yaml.tokens import CommentToken

End = tuple[Any, Any]
"""The container and key of the last line of a value."""


def end(holder: Any, step: Any) -> End:
    """Where the value at `step` ends."""
    value = holder[step]
    block = isinstance(value, (CommentedMap, CommentedSeq)) and not value.fa.flow_style()
    return (block and tail(value)) or (holder, step)


def tail(holder: Any) -> End | None:
    """Where the last entry ends; None for a container without one."""
    if not len(holder):
        return None
    return end(holder, next(reversed(holder)) if isinstance(holder, dict) else len(holder) - 1)


def take(place: End) -> str:
    """Takes away what stands after the last line, blank lines and comments: it belongs to what follows."""
    holder, step = place
    tokens = holder.ca.items.get(step)
    token = tokens[_slot(holder)] if tokens else None
    if token is None or "\n" not in token.value:
        return ""
    inline, _, rest = token.value.partition("\n")
    token.value = f"{inline}\n"
    if not inline:
        tokens[_slot(holder)] = None
    return str(rest)


def give(place: End, comments: str) -> None:
    """Puts blank lines and comments after a last line, behind a comment on that line."""
    holder, step = place
    tokens = holder.ca.items.setdefault(step, [None, None, None, None])
    token = tokens[_slot(holder)]
    if token is None:
        tokens[_slot(holder)] = CommentToken(f"\n{comments}", CommentMark(0), None)
    else:
        token.value += comments


def _slot(holder: Any) -> int:
    """Where ruamel.yaml keeps the comment after a value: by mapping and by list."""
    return 2 if isinstance(holder, dict) else 0
