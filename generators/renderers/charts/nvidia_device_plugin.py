"""The NVIDIA device plugin: whole GPUs or slices, on GPU nodes only."""

from __future__ import annotations

from generators.model import names
from generators.model.catalog import Inputs
from generators.renderers.charts.placement import Values


def facts(inputs: Inputs) -> Values:
    """A configuration for each way of sharing, and tolerations of the groups' taints."""
    groups = [group for group in inputs.cluster.node_groups.values() if group.gpu]
    taints = {taint["key"] for group in groups for taint in names.node_taints(group)}
    whole = {"whole": "version: v1\n"}
    sliced = {
        names.plugin_config(each.gpu): _time_slicing(each.gpu.slices) for each in groups if each.gpu and each.gpu.slices
    }
    return {
        "config": {"default": "whole", "map": {**whole, **dict(sorted(sliced.items()))}},
        "nodeSelector": {names.GPU_PRESENT_LABEL: "true"},
        "tolerations": [{"key": key, "operator": "Exists"} for key in sorted(taints)],
    }


def _time_slicing(slices: int) -> str:
    """The plugin's own configuration file: each GPU counts as so many."""
    resource = f"      - name: nvidia.com/gpu\n        replicas: {slices}\n"
    return f"version: v1\nsharing:\n  timeSlicing:\n    resources:\n{resource}"
