"""What a person reads of an object that breaks its schema: the wrong value, what is allowed, and the likely mend."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from math import isfinite
from textwrap import shorten
from typing import Any

from jsonschema_rs import ValidationError

TYPES = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
}
LONGEST_LIST = 200  # characters; a Container has 25 fields
LONGEST_VALUE = 60

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class SchemaProblem:
    """One thing wrong in an object: `path` leads to the field, and `message` reads on after the field's name."""

    path: Path
    message: str
    hint: str = ""


def is_plain(value: object) -> bool:
    """Whether `value` is made of mappings with string keys, lists, strings, finite numbers and booleans only."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_plain(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(is_plain, value))
    return isinstance(value, (str, int)) or (isinstance(value, float) and isfinite(value))


def not_plain(value: object, path: Path = ()) -> Iterator[SchemaProblem]:
    """A problem for each place where `is_plain` fails. The schemas would let nulls pass everywhere."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                quoted = json.dumps(_shown(key))
                yield SchemaProblem(path, f"has the key {_shown(key)}, which must be a string", f"write it as {quoted}")
            yield from not_plain(item, (*path, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from not_plain(item, (*path, index))
    elif value is None:
        yield SchemaProblem(path, "is null", "leave the key out, or give it a value")
    elif not is_plain(value):
        mend = f"write it in quotes: {json.dumps(_shown(value))}"
        yield SchemaProblem(path, f"is {_shown(value)}, a {type(value).__name__}, which JSON cannot hold", mend)


def plain(value: object) -> object:
    """A copy that the validator can read: what is not JSON becomes its text."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value if value is None or is_plain(value) else str(value)


def real_path(value: Any, steps: list[str | int]) -> Path:
    """`steps` with the keys as they are in `value`: the validator makes a number of such as "8080" and "007"."""
    path: list[str | int] = []
    for step in steps:
        key = _key(value, str(step)) if isinstance(value, dict) else step
        path.append(key)
        value = value[key]
    return tuple(path)


def _key(mapping: dict[str, Any], key: str) -> str:
    return key if key in mapping else next(other for other in mapping if _digits(other) == _digits(key))


def _digits(key: str) -> str:
    return key.removeprefix("+").lstrip("0")


def explain(error: ValidationError, path: Path, fields: Callable[[], Iterable[str]]) -> Iterator[SchemaProblem]:
    """The problems of one violation, at `path`; `fields` gives the names that the schema allows there."""
    words = error.kind.as_dict()
    match error.kind.name:
        case "additionalProperties":
            for field in words["unexpected"]:
                yield SchemaProblem((*path, field), "is not a known field", _nearest(field, fields()))
        case "required":
            yield SchemaProblem((*path, words["property"]), "is needed, but missing")
        case "enum":
            options = _listed(map(_shown, words["options"]), " or ")
            nearest = _nearest(str(error.instance), map(str, words["options"]), listed=False)
            yield SchemaProblem(path, f"is {_shown(error.instance)}, must be {options}", nearest)
        case "not" if "const" in (refused := words.get("schema", {})):
            yield SchemaProblem(path, f"must not be {_shown(refused['const'])}", "write another value")
        case _:
            yield from _explain_value(error, path)


def _explain_value(error: ValidationError, path: Path) -> Iterator[SchemaProblem]:
    value, types = error.instance, _types(error) - {"null"}
    if not types:
        yield SchemaProblem(path, error.message)
        return
    allowed = " or ".join(words for name, words in TYPES.items() if name in types)
    yield SchemaProblem(path, f"is {_shown(value)}, must be {allowed}", _other_type(value, types))


def _types(error: ValidationError) -> set[str]:
    """The types one of which the value should have; none when its type is not what is wrong."""
    words = error.kind.as_dict()
    branches: list[list[ValidationError]] = words.get("context", [])
    if branches and all(len(branch) == 1 for branch in branches):
        found = [_types(branch[0]) for branch in branches]
        return set[str]().union(*found) if all(found) else set()
    return set(words.get("types", ()))


def _other_type(value: object, types: set[str]) -> str:
    if types == {"string"} and isinstance(value, (bool, int, float)):
        return f"write it in quotes: {json.dumps(json.dumps(value))}"
    if isinstance(value, str) and (
        (value.isdecimal() and types & {"integer", "number"}) or (value in {"true", "false"} and "boolean" in types)
    ):
        return f"write it without quotes: {value}"
    return ""


def _nearest(wrong: str, names: Iterable[str], *, listed: bool = True) -> str:
    known = sorted(names)
    close = get_close_matches(wrong.lower(), [name.lower() for name in known], n=1)
    for name in known:
        if close == [name.lower()]:
            return f"did you mean {name}?"
    return f"the fields here are {_listed(known, ', ')}" if known and listed else ""


def _listed(words: Iterable[str], separator: str) -> str:
    return shorten(separator.join(words), LONGEST_LIST, placeholder=" …")


def _shown(value: object) -> str:
    """The value as YAML writes it, cut; of a mapping or a list only that it is one."""
    if isinstance(value, (dict, list)):
        return TYPES["object" if isinstance(value, dict) else "array"]
    text = json.dumps(value, ensure_ascii=False, default=str)
    return shorten(text if is_plain(value) or value is None else str(value), LONGEST_VALUE, placeholder=" …")
