"""Renderers: one cluster in, a tree of documents out. Pure: no files, no clock, no environment."""

from __future__ import annotations

from collections.abc import Callable

from generators.model.catalog import Inputs
from generators.renderers import alarms, argocd, dashboard, manifests, overlays, readme, tfvars, values

Tree = dict[str, object]
"""Path below `generated/` → document: a mapping for .yaml and .json, a text for .md."""

RENDERERS: tuple[Callable[[Inputs], Tree], ...] = (
    readme.render,
    argocd.render,
    values.render,
    overlays.render,
    manifests.render,
    tfvars.render,
    dashboard.render,
    alarms.render,
)


def render(inputs: Inputs) -> Tree:
    """Everything that is generated for one cluster, sorted by path."""
    tree: Tree = {}
    for renderer in RENDERERS:
        tree |= renderer(inputs)
    return dict(sorted(tree.items()))
