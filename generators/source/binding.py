"""From nodes to models: pydantic's errors told in the words and places of the file that a person wrote."""

from __future__ import annotations

import json
import re
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from generators.errors import FleetError, Place, Problem
from generators.model.base import did_you_mean, dotted
from generators.source.descriptions import describe

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from generators.model.base import Finding
    from generators.source.nodes import Node

Bound = TypeVar("Bound", bound=BaseModel)
_WANTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "`true` or `false`",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "list_type": "a list",
    "tuple_type": "a list",
}


def bind(model: type[Bound], node: Node) -> Bound:
    """The node's values as a model. Raises FleetError with every problem, each at its line and column."""
    problems = [_empty(path, place) for path, place in node.nulls()]
    try:
        bound = model.model_validate_json(json.dumps(node.plain(), ensure_ascii=False).encode("utf-8", "replace"))
    except ValidationError as error:
        errors = error.errors(include_url=False)
        problems += [_problem(model, node, each) for each in errors if not _follows(each, errors)]
    else:
        if not problems:
            return bound
    raise FleetError(problems)


def _empty(path: tuple[str | int, ...], place: Place) -> Problem:
    hint = "write `{}` for all defaults, or leave the key out"
    return Problem(place, "has no value", dotted(path), hint)


def _follows(error: ErrorDetails, errors: list[ErrorDetails]) -> bool:
    """Whether another problem says it already: an empty value, or a list that is too short for its wrong items."""
    deeper = any(other["loc"][: len(error["loc"])] == error["loc"] and other is not error for other in errors)
    return error.get("input") is None or (error["type"] == "too_short" and deeper)


def located(node: Node, finding: Finding) -> Problem:
    """A finding of the model at its place in the file."""
    return Problem(node.place_of(finding.path), finding.message, dotted(finding.path), finding.hint)


def _problem(model: type[BaseModel], node: Node, error: ErrorDetails) -> Problem:
    path = _real(tuple(error["loc"]))
    kind, context = error["type"], error.get("ctx", {})
    place, key = node.place_of(path), dotted(path)
    if kind == "rule":
        return Problem(place, context["what"], key, context["hint"])
    if kind == "missing":
        return Problem(node.place_of(path[:-1]), "is missing", key, _example(model, path))
    if kind == "extra_forbidden":
        known = _keys(model, path[:-1])
        hint = did_you_mean(str(path[-1]), known, f"known here: {', '.join(known)}" if known else "it takes no keys")
        return Problem(node.place_of(path, of_key=True), "is not a known key", key, hint)
    if kind in _WANTED:
        return _wrong_type(node, path, place, _WANTED[kind])
    message, hint = _limit(kind, context, _shown(error["input"]))
    return Problem(place, message or f"`{_shown(error['input'])}`: {_lower(error['msg'])}", key, hint)


def _limit(kind: str, context: dict[str, Any], shown: str) -> tuple[str, str]:
    """Message and hint for a value that has the right type and is none of those allowed."""
    if kind == "literal_error":
        words = re.findall(r"'([^']+)'", context["expected"])
        return f"`{shown}` is none of {', '.join(words)}", did_you_mean(shown, words)
    if kind in ("less_than_equal", "greater_than_equal"):
        bound = context.get("le", context.get("ge"))
        return f"{shown} is {'more' if 'le' in context else 'less'} than {bound}, the limit", ""
    if kind in ("too_short", "too_long"):
        bound = context.get("min_length", context.get("max_length"))
        word = "at least" if kind == "too_short" else "at most"
        return f"must have {word} {bound} {'entry' if bound == 1 else 'entries'}, not {context['actual_length']}", ""
    return "", ""


def _real(path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Pydantic marks an error in a mapping's key with a last step `[key]`; people think of the key itself."""
    return path[:-1] if path and path[-1] == "[key]" else path


def _wrong_type(node: Node, path: tuple[str | int, ...], place: Place, wanted: str) -> Problem:
    found = node.find(path)
    raw = found.raw if found else ""
    value = found.plain() if found else None
    if wanted == "a text" and raw:
        read = f" ({value:g})" if isinstance(value, float) else ""
        message = f"must be a text, and YAML reads {raw} as {_kind(value)}{read}"
        return Problem(place, message, dotted(path), f'write `"{raw}"`')
    hint = f"write {value} without quotes" if isinstance(value, str) and value.isdigit() else ""
    return Problem(place, f"must be {wanted}, not {_kind(value)} (`{_shown(value)}`)", dotted(path), hint)


def _kind(value: object) -> str:
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a text", dict: "a mapping", list: "a list"}
    return names.get(type(value), "nothing")


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str) if not isinstance(value, str) else value
    return text if len(text) <= 60 else text[:57] + "…"


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _bare(annotation: Any) -> Any:
    """The annotation without `Annotated[…]` and `… | None`."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return _bare(next(arm for arm in get_args(annotation) if arm is not NoneType))
    return annotation


def _step(annotation: Any, step: str | int) -> Any:
    bare = _bare(annotation)
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        fields = {field.alias or name: field.annotation for name, field in bare.model_fields.items()}
        return fields.get(str(step))
    values = {dict: 1, tuple: 0}.get(get_origin(bare))
    return None if values is None else get_args(bare)[values]


def _model_at(model: type[BaseModel], path: tuple[str | int, ...]) -> type[BaseModel] | None:
    """The model that describes `path`, found by walking annotations; None where none does."""
    current: Any = model
    for step in path:
        current = _step(current, step)
    bare = _bare(current)
    return bare if isinstance(bare, type) and issubclass(bare, BaseModel) else None


def _keys(model: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    found = _model_at(model, path)
    return [field.alias or name for name, field in found.model_fields.items()] if found else []


def _example(model: type[BaseModel], path: tuple[str | int, ...]) -> str:
    found = _model_at(model, path[:-1])
    return describe(found).get(str(path[-1]), "").split("\n")[0] if found else ""
