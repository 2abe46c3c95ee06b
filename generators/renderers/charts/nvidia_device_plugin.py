"""The NVIDIA device plugin: whole GPUs or slices, on GPU nodes only."""

from __future__ import annotations

from generators.model import names
from generators.model.catalog import Inputs
from generators.renderers.charts.placement import Values, gpu_tolerations


def facts(inputs: Inputs) -> Values:
    """Tolerations of the groups' taints; where GPUs are shared, a configuration for each way; where by MIG, rights."""
    groups = [group.gpu for group in inputs.cluster.node_groups.values() if group.gpu]
    sliced = {names.plugin_config(gpu): _sharing(gpu.sharing, gpu.slices) for gpu in groups if gpu.slices}
    whole = {"whole": "version: v1\n"}
    mig = any(gpu.mig for gpu in groups)
    return {
        # Said, because where it is not, or is another, the chart asks for the devices that watch MIG. The container
        # toolkit gives them to CAP_SYS_ADMIN only, and starts no container that asks without it.
        "migStrategy": "single" if mig else "none",
        **({"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}} if mig else {}),
        # With none, the chart leaves out the container that reads the node's label, and its right to.
        **({"config": {"default": "whole", "map": {**whole, **dict(sorted(sliced.items()))}}} if sliced else {}),
        "nodeSelector": {names.GPU_PRESENT_LABEL: "true"},
        "tolerations": gpu_tolerations(inputs),
    }


def _sharing(way: str, slices: int) -> str:
    """The plugin's own configuration file: each GPU counts as so many."""
    key = "mps" if way == "mps" else "timeSlicing"
    resource = f"      - name: nvidia.com/gpu\n        replicas: {slices}\n"
    return f"version: v1\nsharing:\n  {key}:\n    resources:\n{resource}"
