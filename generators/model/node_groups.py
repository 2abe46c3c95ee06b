"""Managed node groups: what is bought, how many, and what may run there."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from .base import LabelKey, LabelValue, Matching, Model, refuse
from .network import Zone

NODES_PER_GROUP = 450
"""AWS's quota of nodes in one managed node group (EKS best practices, data plane, 2026-05)."""
GROUPS_PER_CLUSTER = 30
"""AWS's quota of managed node groups in one cluster."""


def _capacity(value: Any) -> Any:
    if value == "fargate":
        raise refuse(
            "Fargate is not a capacity of this fleet: it runs no DaemonSets and no GPUs, and kube-system on Fargate "
            "failed with DNS errors",
            "use `spot` or `on-demand`",
        )
    return value


InstanceType = Annotated[str, Matching(r"[a-z][a-z0-9-]*\.[a-z0-9-]+", "an instance type", "m6i.large")]
Weight = Annotated[int, Field(ge=1, le=999)]


class Mix(Model):
    """On-demand share of a spot group, written over the Auto Scaling group that EKS made.

    EKS does not support this edit and may undo it at any update of the node group; it must be re-applied.
    """

    on_demand_base: Annotated[int, Field(ge=0, le=NODES_PER_GROUP)] = 0
    """Nodes that are on-demand before any spot is bought."""
    on_demand_percentage: Annotated[int, Field(ge=0, le=100)] = 0
    """Share of on-demand nodes above the base, in percent."""
    weights: dict[InstanceType, Weight] = {}
    """Capacity units of each instance type. Unequal weights stop cluster-autoscaler from scaling up."""


class Taint(Model):
    """A taint beside those that a group has by its role or GPU."""

    key: LabelKey
    value: LabelValue = ""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = "NoSchedule"


class Gpu(Model):
    """Who holds the GPUs of a group."""

    mode: Literal["server", "job", "shared"]
    """server: model servers on each node hold them; job: Jobs ask for whole GPUs; shared: Jobs ask for slices."""
    slices: Annotated[int, Field(ge=2, le=16)] | None = None
    """Slices of each GPU, for mode shared; for mode server where several sets of models share a GPU."""
    sharing: Literal["time-slicing", "mps"] = "time-slicing"
    """Of slices. time-slicing: processes take turns, and nothing but they themselves bounds their memory; mps: they
    run at once, each within its part of memory and cores, and an error of one may end them all."""
    mig: Annotated[str, Matching(r"[1-7]g\.[0-9]+gb", "a MIG profile", "1g.10gb")] | None = None
    """Instead of slices: each GPU as that many instances of this profile as it holds, made as a node starts. Each has
    its own cores and memory, and its faults are its own. On A100, H100 and H200."""


class NodeGroup(Model):
    """One managed node group. All its instance types must have one shape: vCPU, memory, GPUs."""

    instance_types: Annotated[tuple[InstanceType, ...], Field(min_length=1, max_length=20)]
    """In order of preference; several types make spot interruptions rarer."""
    capacity: Annotated[Literal["spot", "on-demand"], BeforeValidator(_capacity)]
    role: Literal["system", "worker"] = "worker"
    """system: kube-system and the controllers; worker: everything else."""
    min: Annotated[int, Field(ge=0, le=NODES_PER_GROUP)]
    max: Annotated[int, Field(ge=1, le=NODES_PER_GROUP)]
    zones: Annotated[tuple[Zone, ...], Field(min_length=1, max_length=3)] | None = None
    """Letters out of network.zones; left out, all of them. Not every zone has every instance type."""
    zonal: bool = False
    """One managed node group a zone, each with its share of min and max: for volumes that stay in a zone."""
    mix: Mix | None = None
    gpu: Gpu | None = None
    labels: dict[LabelKey, LabelValue] = {}
    taints: tuple[Taint, ...] = ()
    disk_gb: Annotated[int, Field(ge=20, le=16384)] = 100
    """Size of the gp3 root volume, in GiB."""
    max_unavailable: Annotated[int, Field(ge=1, le=100)] | None = None
    """Nodes replaced at once in an update; left out, a tenth of the group, and one in a system group."""
    repair: bool = True
    """EKS replaces nodes that stay unhealthy, GPU errors included."""
