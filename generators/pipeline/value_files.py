"""The values files that an app of a cluster has, as nodes that know their lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from generators.model.catalog import Inputs
from generators.output import disk
from generators.pipeline.fleet import Fleet
from generators.source import reader
from generators.source.nodes import Node


def read(fleet: Fleet, inputs: Inputs, name: str, texts: Mapping[str, str]) -> Iterator[Node]:
    """Those of a helm app, lowest precedence first: for all clusters, generated (out of `texts`), by hand.

    `texts` are the files below generated/ by path. Raises FleetError for a file that is no YAML.
    """
    root, cluster = fleet.workspace.root, f"clusters/{inputs.cluster.name}"
    if fleet.catalog.apps[name].kind != "helm":
        return
    if name in fleet.catalog.plain_values:
        yield reader.read(root / f"apps/{name}/values.yaml", f"apps/{name}/values.yaml")
    if text := texts.get(f"values/{name}.yaml"):
        yield reader.parse(text, f"{cluster}/{disk.GENERATED}/values/{name}.yaml")
    if name in inputs.overrides:
        yield reader.read(root / f"{cluster}/values/{name}.yaml", f"{cluster}/values/{name}.yaml")
