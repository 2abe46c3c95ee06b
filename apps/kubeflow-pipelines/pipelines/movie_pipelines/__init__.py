"""Pipelines for Kubeflow Pipelines. `catalogue` lists them, `compile` writes what a cluster reads."""
