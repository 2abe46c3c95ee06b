"""Kubeflow Pipelines: where tasks run, and what must hold of a cluster before they can."""

from __future__ import annotations

from collections.abc import Iterator

from . import names
from .base import Finding, did_you_mean
from .catalog import Inputs
from .node_groups import NodeGroup

APP = "kubeflow-pipelines"
NAMESPACE = "kubeflow"


def task_groups(inputs: Inputs) -> dict[str, NodeGroup]:
    """Node groups that tasks run on unless a pipeline says otherwise: those of workers, without GPUs."""
    groups = inputs.cluster.node_groups.items()
    return {name: group for name, group in groups if names.node_role(group) == "worker"}


def task_taints(inputs: Inputs) -> list[dict[str, str]]:
    """Taints that all these groups have. One that only some have keeps its groups for pipelines that ask for them."""
    first, *others = [names.node_taints(group) for group in task_groups(inputs).values()]
    return [taint for taint in first if all(taint in other for other in others)]


def pipelines(inputs: Inputs) -> Iterator[Finding]:
    """A database that can be verified, nodes for tasks, and results that nobody reads as movies."""
    settings = inputs.cluster.apps.kubeflow_pipelines
    if settings is None:
        return
    at = ("apps", APP)
    if inputs.cluster.storage.database is None:
        hint = "add `storage: {database: {}}`: RDS for MySQL, its defaults are enough to begin with"
        yield Finding(at, "keeps runs and metadata in a database, and storage.database is not there", hint)
    if not task_groups(inputs):
        hint = "add a node group with `role: worker` and without `gpu`"
        yield Finding(at, "has no node group for tasks: all are for the system or for GPUs", hint)
    if inputs.cluster.region not in inputs.catalog.rds_ca:
        hint = did_you_mean(inputs.cluster.region, inputs.catalog.rds_ca, "see generators/data/rds_ca.json")
        yield Finding(at, f"knows no certificate authority of RDS in {inputs.cluster.region}", hint)
    written = (*settings.outputs, inputs.cluster.storage.pipelines_prefix)
    for index, prefix in enumerate(settings.inputs):
        for other in written:
            if prefix.startswith(other) or other.startswith(prefix):
                what = f"`{prefix}` and `{other}`, which tasks write to, overlap"
                yield Finding((*at, "inputs", index), what, "results would be read as movies; keep prefixes apart")
