"""Rules over sets of models: node groups that can run them, and GPUs that divide among them."""

from __future__ import annotations

from collections.abc import Iterator

from . import gpus, server_sets
from .base import Finding, Path, did_you_mean
from .catalog import Inputs
from .model_servers import ModelServer
from .node_groups import NodeGroup

AT: Path = ("apps", "gpu-inference")
NAME_PART = "server"
"""What stands between set and node group in names; a set that holds it could take those of another."""


def servers(inputs: Inputs) -> Iterator[Finding]:
    """Sets of models have names apart, node groups of mode `server`, and what their kind needs."""
    settings, found = inputs.cluster.apps.gpu_inference, inputs.cluster.node_groups
    if settings is None:
        return
    if settings.servers and settings.models:
        hint = "move them to `models` of a set"
        yield Finding((*AT, "models"), "is for a cluster without apps.gpu-inference.servers", hint)
    for name, each in settings.servers.items():
        at = (*AT, "servers", name)
        if NAME_PART in name.split("-"):
            yield Finding(at, f"a set's name has no part `{NAME_PART}`", "its objects are named `<set>-server`")
        if each.own and each.image is None:
            yield Finding((*at, "own"), "says that the image is not Triton's, and there is none", "add `image:`")
        yield from _groups(at, found, each)
    for name, group in found.items():
        if group.gpu and group.gpu.mode == "server" and not server_sets.on(inputs.cluster, name):
            hint = "name it in `node_groups` of a set, or let a set be on all by leaving them out"
            yield Finding(("node_groups", name, "gpu"), "no set of apps.gpu-inference.servers is on it", hint)


def _groups(at: Path, found: dict[str, NodeGroup], server: ModelServer) -> Iterator[Finding]:
    there = [name for name, group in found.items() if group.gpu and group.gpu.mode == "server"]
    for index, name in enumerate(server.node_groups):
        if name not in there:
            hint = did_you_mean(name, there, f"node groups of mode server: {', '.join(there) or 'none'}")
            yield Finding((*at, "node_groups", index), f"no node group `{name}` of mode server", hint)
        elif name in server.node_groups[:index]:
            yield Finding((*at, "node_groups", index), f"`{name}` is named twice", "once is enough")


def server_sizes(inputs: Inputs) -> Iterator[Finding]:
    """The GPUs of each node divide among the sets there, and each set gets the memory that it needs."""
    settings = inputs.cluster.apps.gpu_inference
    for name, group in inputs.cluster.node_groups.items():
        there = server_sets.on(inputs.cluster, name)
        if settings and there:
            yield from _divided(inputs, name, there)
            share = gpus.share_mib(group, inputs.catalog.instances[group.instance_types[0]])
            for each in there:
                needed = server_sets.sets(settings)[each].gpu_memory_mib
                if needed and needed > share:
                    what = f"{needed} is more than a GPU or slice of node_groups.{name} has, {share}"
                    hint = "fewer slices, another instance type, or other node_groups for this set"
                    yield Finding((*AT, "servers", each, "gpu_memory_mib"), what, hint)


def _divided(inputs: Inputs, name: str, there: list[str]) -> Iterator[Finding]:
    if server_sets.gpus_each(inputs, name):
        return
    group = inputs.cluster.node_groups[name]
    kind = inputs.catalog.instances[group.instance_types[0]]
    offered = gpus.offered(group, kind)
    has = f"{offered} slices, which are for one set each" if gpus.sliced(group) else f"GPUs to divide: {offered}"
    what = f"{len(there)} sets of models ({', '.join(there)}) are on it, and a `{group.instance_types[0]}` has {has}"
    each, rest = divmod(len(there), kind.gpus)
    hint = "give each set `node_groups` of its own"
    if not rest and each > 1:
        hint = f"`slices: {each}` makes one for each of them, or {hint}"
    yield Finding(("node_groups", name, "gpu"), what, hint)
