"""Names that are the same on every cluster. Pipelines use them too, and have only this module: no imports here."""

ROLE_LABEL = "inference-fleet/role"
GROUP_LABEL = "inference-fleet/node-group"
GPU_MODE_LABEL = "inference-fleet/gpu-mode"
ACCELERATOR_LABEL = "k8s.amazonaws.com/accelerator"
"""cluster-autoscaler needs it on GPU nodes, or scales up too far while drivers start."""
PLUGIN_CONFIG_LABEL = "nvidia.com/device-plugin.config"
"""Which of its configurations the NVIDIA device plugin uses on a node."""
MPS_LABEL = "nvidia.com/mps.capable"
"""The daemon that lets processes share a GPU by MPS runs where it says true."""
GPU_PRESENT_LABEL = "nvidia.com/gpu.present"
"""The NVIDIA device plugin's chart runs where it says true."""
SYSTEM_TAINT = {"key": "CriticalAddonsOnly", "value": "true", "effect": "NoSchedule"}
"""The only taint that EKS's own CoreDNS tolerates: it must run before Argo CD does."""
GPU_TAINT = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}

ANY_WORKER_IMAGE = "CLUSTER.invalid/inference-worker:cpu"
ANY_CUDA_IMAGE = "CLUSTER.invalid/inference-worker:cuda"
"""Stand for a cluster's `worker_image` in compiled pipelines, which are the same for all clusters. No registry has such
a name, and Renovate, which knows small letters, sees no image to keep up to date."""
ANY_BUCKET = "BUCKET-OF-THE-CLUSTER"
"""Stands for a cluster's `bucket` there. No bucket has such a name: S3 takes small letters only."""
CUDA_SUFFIX = "-cuda"
"""Of the worker image's tag: the same version, built for GPUs."""
