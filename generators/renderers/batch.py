"""A batch that is not in git: its Job, by the jsonnet that makes those that are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generators.model.catalog import Inputs
from generators.renderers import jsonnet, manifests

APP = "gpu-inference"
FILE = f"apps/{APP}/job.jsonnet"


@dataclass(frozen=True)
class Order:
    """What a Job has beside its batch: a name of its own, seconds to stay when it is over, annotations."""

    batch: str
    name: str
    ttl_seconds: int
    annotations: Mapping[str, str]


def job(inputs: Inputs, order: Order) -> dict[str, Any]:
    """The Job of a batch among those of `inputs`. Raises FleetError where the jsonnet refuses."""
    facts = manifests.argument(inputs, APP, inputs.catalog.apps[APP])
    said = {
        "batch": order.batch,
        "name": order.name,
        "ttlSeconds": order.ttl_seconds,
        "annotations": dict(order.annotations),
    }
    [found] = jsonnet.evaluate(inputs, FILE, {**facts, "order": said})
    return dict(found)


def in_git(inputs: Inputs) -> dict[str, str]:
    """Jobs and CronJobs of batches that the cluster file makes: the object's name → the batch's."""
    objects = jsonnet.evaluate(
        inputs, f"apps/{APP}/main.jsonnet", manifests.argument(inputs, APP, inputs.catalog.apps[APP])
    )
    found = [each["metadata"] for each in objects if each["kind"] in {"Job", "CronJob"}]
    return {each["name"]: each["labels"]["inference-fleet/job"] for each in found}
