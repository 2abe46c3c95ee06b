"""The nodes: images that exist for the minor, and who gives Kubernetes their GPUs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from generators.checks.upgrade.concern import Concern, required
from generators.model.support import Support, ordinal

PLUGIN = "nvidia-device-plugin"


def images(
    groups: Mapping[str, Mapping[str, Any]], apps: list[str], target: str, support: Support
) -> Iterator[Concern]:
    """`groups` is `node_groups` of cluster.tfvars.json, each with its `ami_type`; paths are of the cluster file."""
    for name, group in groups.items():
        kind = str(group["ami_type"])
        path = ("node_groups", name)
        family = next((facts for prefix, facts in support.families.items() if kind.startswith(prefix)), None)
        if family is None:
            what = f"nothing is known of the image family of {kind}"
            yield required(
                "ami", path, what, "add it to `families` in generators/data/support.json, with source and date"
            )
            continue
        if family.newest and ordinal(target) > ordinal(family.newest):
            what = f"there is no {kind} image for {target}: {family.newest} is the last minor of that family"
            yield required("ami", path, what, "move the group to an Amazon Linux 2023 image (AL2023_…)")
        if "NVIDIA" in kind:
            yield from _plugin(path, kind, PLUGIN in apps, built_in=family.device_plugin)


def _plugin(path: tuple[str, ...], kind: str, installed: bool, *, built_in: bool) -> Iterator[Concern]:
    if installed and built_in:
        what = f"{kind} has a device plugin of its own, and apps.{PLUGIN} would be a second one on its nodes"
        yield required("device-plugin", path, what, f"keep {PLUGIN} off these nodes, or take an AL2023 NVIDIA image")
    if not installed and not built_in:
        what = f"{kind} has the driver and no device plugin: no pod would get a GPU"
        yield required("device-plugin", path, what, f"add `{PLUGIN}: {{}}` to apps")
