"""What containers ask of a node, and what they may take of it."""

from __future__ import annotations

from collections.abc import Iterator

from generators.checks.policy.objects import Container, Object, Pod, at
from generators.checks.policy.rule import Scene
from generators.model.base import Finding


def requests(_scene: Scene, each: Object) -> Iterator[Finding]:
    """CPU and memory; a limit without a request counts as one, as it does for Kubernetes."""
    for container in each.pod.containers:
        missing = [name for name in ("cpu", "memory") if not _requested(each.pod, container, name)]
        if missing:
            what = f"container `{container.name}` requests no {' and no '.join(missing)}"
            hint = f"set resources.requests.{missing[0]} to what it needs on a busy day"
            told = f"{what}: the scheduler takes it to need none, and fills its node up with others"
            yield Finding((*container.path, "resources", "requests"), told, hint)


def memory_limit(_scene: Scene, each: Object) -> Iterator[Finding]:
    """Memory only: a CPU limit throttles a container while the node's cores stand idle."""
    for container in each.pod.containers:
        if not (_given(container, "limits", "memory") or at(each.pod.spec, "resources", "limits", "memory")):
            what = f"container `{container.name}` has no memory limit: if it leaks, its node's other pods are killed"
            yield Finding((*container.path, "resources", "limits"), what, "set resources.limits.memory")


def _requested(pod: Pod, container: Container, name: str) -> bool:
    """By the container, or for the pod as a whole."""
    if _given(container, "requests", name) or _given(container, "limits", name):
        return True
    return bool(at(pod.spec, "resources", "requests", name) or at(pod.spec, "resources", "limits", name))


def _given(container: Container, side: str, name: str) -> bool:
    return at(container.spec, "resources", side, name) is not None
