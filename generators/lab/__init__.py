"""A cluster on this machine, without a cloud: a real control plane, simulated nodes, Argo CD on a git of its own."""

from typing import Literal

Charts = Literal["auto", "all", "none"]
"""Which third-party charts Argo CD gets: those whose repositories answer from here, all, or none."""
