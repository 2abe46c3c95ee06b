"""Kubeflow Pipelines from a person's side: compiled pipelines, the API of a cluster's installation, the way to it."""
