"""What nodes leave to pods, held to figures that Karpenter publishes for the same types."""

from __future__ import annotations

import pytest

from generators.model.allocatable import allocatable
from tests.fleets import committed

# karpenter-provider-aws instance-types.md, 2026-07-11: cpu, memory, pods.
PUBLISHED = [
    ("m6i.large", 1930, 6903, 29),
    ("c5.xlarge", 3920, 6584, 58),
    ("g5.xlarge", 3920, 14162, 58),
    ("c6i.4xlarge", 15890, 27381, 234),
    ("p4d.24xlarge", 95690, 1082712, 737),
]


@pytest.mark.parametrize(("kind", "cpu", "memory", "pods"), PUBLISHED)
def test_as_published(kind: str, cpu: int, memory: int, pods: int) -> None:
    found = allocatable(committed().catalog.instances[kind], pods)
    assert (found.cpu_milli, found.memory_mib, found.pods) == (cpu, memory, pods)
