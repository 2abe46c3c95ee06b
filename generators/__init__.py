"""Generators of an EKS inference fleet: one cluster file in, one folder of manifests out."""
