"""JSON Schemas of the hand-written files, made from the models, for editors."""

from __future__ import annotations

import json
from typing import Any

from generators.model.base import Model
from generators.model.catalog import App
from generators.model.cluster import Cluster
from generators.model.defaults import Defaults
from generators.pipeline.fleet import Fleet
from generators.source.descriptions import describe

DRAFT = "https://json-schema.org/draft/2020-12/schema"
FILLED_IN = ("account", "region", "kubernetes", "git", "access")
"""Keys that a cluster.yaml may leave to defaults.yaml."""


def models(fleet: Fleet) -> dict[str, dict[str, Any]]:
    """Schema by the name of the file that it describes: app, cluster, defaults."""
    cluster = _schema(Cluster)
    _relax(cluster)
    _name_apps(cluster, fleet)
    return {"app": _schema(App), "cluster": cluster, "defaults": _schema(Defaults)}


def _schema(model: type[Model]) -> dict[str, Any]:
    """Pydantic's schema, with the docstring of each field as its description."""
    schema = model.model_json_schema()
    known = {each.__name__: each for each in _subclasses(Model)}
    for name, body in ((model.__name__, schema), *schema.get("$defs", {}).items()):
        described = describe(known[name])
        for field, facts in known[name].model_fields.items():
            if field in described:
                body["properties"][facts.alias or field]["description"] = described[field]
    return schema


def _subclasses(model: type[Model]) -> list[type[Model]]:
    return [model, *(deeper for each in model.__subclasses__() for deeper in _subclasses(each))]


def texts(fleet: Fleet) -> dict[str, str]:
    """File name below `schemas/` → text."""
    return {f"{name}.schema.json": _text(schema) for name, schema in models(fleet).items()}


def _text(schema: dict[str, Any]) -> str:
    return json.dumps({"$schema": DRAFT, **schema}, indent=2, ensure_ascii=False) + "\n"


def _relax(schema: dict[str, Any]) -> None:
    schema["required"] = [key for key in schema["required"] if key not in FILLED_IN]
    schema["$defs"]["Access"].pop("required")
    schema["$defs"]["Git"].pop("required")


def _name_apps(schema: dict[str, Any], fleet: Fleet) -> None:
    """Editors complete the catalogue's names, and mark others."""
    apps = schema["$defs"]["Apps"]
    settings = apps["additionalProperties"]
    apps["additionalProperties"] = False
    properties = apps["properties"]
    for name, app in fleet.catalog.apps.items():
        own = properties.get(name, {}).get("anyOf", [settings])[0]
        properties[name] = {**own, "description": app.description}
