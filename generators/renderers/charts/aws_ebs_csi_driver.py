"""The EBS CSI driver: which cluster's volumes are whose, the default StorageClass, and memory for the fleet."""

from __future__ import annotations

from generators.model import sizing
from generators.model.apps import EbsCsiSettings
from generators.model.catalog import Inputs
from generators.renderers.charts.placement import AWS_ENV, SYSTEM_SELECTOR, SYSTEM_TOLERATION, Values, env, spread

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def facts(inputs: Inputs) -> Values:
    """Region and cluster, system nodes, tags, the StorageClass."""
    cluster = inputs.cluster
    settings = cluster.apps.aws_ebs_csi_driver or EbsCsiSettings()
    memory = sizing.ebs_controller_mib(inputs)
    return {
        "controller": {
            "region": cluster.region,
            # Tags each volume and snapshot with the cluster's name, by which its role tells them from others.
            "k8sTagClusterId": cluster.name,
            "extraVolumeTags": {"cluster": cluster.name, "environment": cluster.environment},
            "env": env(AWS_ENV),
            "nodeSelector": SYSTEM_SELECTOR,
            "tolerations": [SYSTEM_TOLERATION],
            "topologySpreadConstraints": [spread("aws-ebs-csi-driver")],
            "resources": {
                "requests": {"cpu": "10m", "memory": f"{memory}Mi"},
                "limits": {"memory": f"{max(256, 2 * memory)}Mi"},
            },
        },
        "storageClasses": [_gp3(default=settings.default_class)],
    }


def _gp3(*, default: bool) -> Values:
    """A volume is made in the zone of the first pod that uses it, encrypted with AWS's key for EBS, and can grow."""
    return {
        "name": "gp3",
        "annotations": {DEFAULT_CLASS: str(default).lower()},
        "allowVolumeExpansion": True,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
        "parameters": {"type": "gp3", "encrypted": "true"},
    }
