"""dcgm-exporter: GPU nodes only, and no more rights than its metrics need."""

from __future__ import annotations

from generators.model import names
from generators.model.apps import DcgmExporterSettings
from generators.model.catalog import Inputs
from generators.renderers.charts.placement import Values, gpu_tolerations


def facts(inputs: Inputs) -> Values:
    """Where it runs, and whether it may read profiling counters."""
    settings = inputs.cluster.apps.dcgm_exporter or DcgmExporterSettings()
    return {
        "nodeSelector": {names.GPU_PRESENT_LABEL: "true"},
        "tolerations": gpu_tolerations(inputs),
        "securityContext": {
            # Of root's own files it reads the one socket of kubelet.
            "runAsNonRoot": False,
            "runAsUser": 0,
            "allowPrivilegeEscalation": False,
            "capabilities": {"add": ["SYS_ADMIN"] if settings.profiling else [], "drop": ["ALL"]},
        },
    }
