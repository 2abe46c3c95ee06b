"""Paths inside the git repository, as Argo CD and Kustomize name them."""

from __future__ import annotations

from generators.model.catalog import Inputs


def cluster(inputs: Inputs) -> str:
    """The cluster's folder."""
    return f"clusters/{inputs.cluster.name}"


def generated(inputs: Inputs, *parts: str) -> str:
    """A path in the cluster's generated folder."""
    return "/".join((cluster(inputs), "generated", *parts))


def chart(name: str) -> str:
    """The folder of a chart of ours."""
    return f"charts/{name}"


def app(name: str, *parts: str) -> str:
    """A path in an app's folder."""
    return "/".join(("apps", name, *parts))
