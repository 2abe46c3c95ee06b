"""The values of a chart of ours are held against its values.schema.json, file by file, so that each mistake has a line.

Helm holds the sum of all files against the same schema when it renders the chart: what must be there, it says then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from jsonschema_rs import ValidationError, validator_for

from generators.checks.schema_messages import SchemaProblem, explain, plain, real_path
from generators.model.base import Finding


def findings(schema: Mapping[str, Any], values: Mapping[str, object]) -> list[Finding]:
    """Values that the chart does not take, or takes as another type or in another form."""
    readable = plain(values)
    found: list[SchemaProblem] = []
    for error in validator_for(dict(schema)).iter_errors(readable):
        # Another file may hold it.
        if error.kind.name != "required":
            path = real_path(readable, error.instance_path)
            found += explain(error, path, partial(_fields, schema, error))
    return [Finding(each.path, each.message, each.hint) for each in found]


def _fields(schema: Mapping[str, Any], error: ValidationError) -> Iterable[str]:
    """The keys that the schema knows where an unknown one is."""
    here: Any = schema
    for step in error.schema_path[:-1]:
        here = here[step] if step != "$ref" else schema["$defs"][here["$ref"].rpartition("/")[2]]
    return list(here.get("properties", ()))
