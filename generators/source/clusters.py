"""Reads cluster files over the fleet-wide defaults."""

from __future__ import annotations

from generators.errors import FleetError, Place, Problem
from generators.model.catalog import Catalog, Inputs
from generators.model.cluster import Cluster
from generators.model.defaults import Defaults
from generators.model.rules import findings
from generators.source import binding, reader
from generators.source.nodes import Node, merge
from generators.source.workspace import DEFAULTS, Workspace


def read_defaults(workspace: Workspace) -> Node:
    """The fleet-wide defaults as nodes, after they bind to their model. Raises FleetError."""
    node = reader.read(workspace.root / DEFAULTS, DEFAULTS)
    binding.bind(Defaults, node)
    return node


def shown(name: str) -> str:
    """How errors name the file of a cluster."""
    return f"clusters/{name}/cluster.yaml"


def load(workspace: Workspace, name: str, defaults: Node, catalog: Catalog) -> Inputs:
    """One cluster, complete and true to all rules. Raises FleetError with every problem of its file."""
    node = reader.read(workspace.existing(name) / "cluster.yaml", shown(name))
    return check(workspace, name, node, defaults, catalog)


def whole(workspace: Workspace, name: str, defaults: Node) -> Node:
    """The cluster's file with the defaults under it, as nodes that know their places. Raises FleetError."""
    return complete(reader.read(workspace.existing(name) / "cluster.yaml", shown(name)), defaults)


def check(workspace: Workspace, name: str, node: Node, defaults: Node, catalog: Catalog) -> Inputs:
    """As `load`, for nodes that were read already."""
    merged = complete(node, defaults)
    problems = [*_name(node, name)]
    try:
        cluster = binding.bind(Cluster, merged)
    except FleetError as error:
        raise FleetError(problems + error.problems) from None
    inputs = Inputs(cluster, catalog, workspace.overrides(name))
    problems += [binding.located(merged, finding) for finding in findings(inputs)]
    problems = problems or _overrides(inputs)
    if problems:
        raise FleetError(problems)
    return inputs


def complete(node: Node, defaults: Node) -> Node:
    """The cluster's nodes with what they leave out filled in; a filled-in value keeps its place in the defaults."""
    shared: dict[str, Node] = defaults.value  # type: ignore[assignment]
    under = {key: shared[key] for key in ("git", "kubernetes", "region")}
    access = {"admins": shared["admins"], "hosted_zone": shared.get("hosted_zone", shared["domain"])}
    if name := _text(node, "name"):
        access["domain"] = Node(shared["domain"].place, f"{name}.{shared['domain'].value}")
    under["access"] = Node(node.place, access, keys={key: each.place for key, each in access.items()})
    if account := defaults.find(("accounts", _text(node, "environment"))):
        under["account"] = account
    return merge(node, Node(node.place, under, keys={key: each.place for key, each in under.items()}))


def _text(node: Node, key: str) -> str:
    found = node.find((key,))
    return found.value if found and isinstance(found.value, str) else ""


def _name(node: Node, name: str) -> list[Problem]:
    written = node.find(("name",))
    if written is None or written.value == name:
        return []
    hint = f"rename the folder, or write `name: {name}`"
    return [Problem(written.place, f"`{written.value}` is not the folder's name, `{name}`", "name", hint)]


def _overrides(inputs: Inputs) -> list[Problem]:
    helm = {name for name, app in inputs.apps().items() if app.kind == "helm"}
    return [
        Problem(
            Place(f"clusters/{inputs.cluster.name}/values/{name}.yaml"),
            f"overrides nothing: this cluster has no helm app `{name}`",
            hint=f"its helm apps: {', '.join(sorted(helm)) or 'none'}",
        )
        for name in sorted(inputs.overrides - helm)
    ]
