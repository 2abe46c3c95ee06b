"""Pods against Pod Security: what a namespace's level refuses, and what it lets through without a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from generators.checks.policy import pod_baseline, pod_restricted
from generators.checks.policy.objects import Object, Pod
from generators.checks.policy.pod_baseline import Minor
from generators.checks.policy.rule import Scene
from generators.model.base import Finding

Controls = tuple[Callable[[Pod, Minor], Iterator[Finding]], ...]
HOST_PATHS: Controls = (pod_baseline.host_paths,)
BASELINE: Controls = (*HOST_PATHS, *pod_baseline.CONTROLS)
RESTRICTED: Controls = (*BASELINE, *pod_restricted.CONTROLS)
LEVELS: dict[str, Controls] = {"privileged": (), "baseline": BASELINE, "restricted": RESTRICTED}
"""Each level with all that it refuses. Where no level is declared, Kubernetes refuses nothing."""


def violations(pod: Pod, level: str, minor: Minor) -> list[Finding]:
    """What the API server of this minor refuses a pod for, in a namespace of this level."""
    return _broken(LEVELS[level], pod, minor)


def of_namespace(scene: Scene, each: Object) -> Iterator[Finding]:
    """Of a workload, the API server would take the object, and refuse each of its pods."""
    level = _level(scene, each)
    for found in violations(each.pod, level, scene.facts.minor):
        told = f"{found.message}: `{each.namespace}` is at Pod Security's level `{level}`, where no such pod starts"
        yield Finding(found.path, told, found.hint or "take it away, or lower pod_security in the app's app.yaml")


def host_path(scene: Scene, each: Object) -> Iterator[Finding]:
    """The node's folders are other pods' too, and outlive the pod."""
    yield from _let_through(scene, each, HOST_PATHS, "whoever is in the pod is on the node")


def privilege(scene: Scene, each: Object) -> Iterator[Finding]:
    """What else `baseline` refuses."""
    yield from _let_through(scene, each, pod_baseline.CONTROLS, "whoever is in the pod is close to the node")


def restricted(scene: Scene, each: Object) -> Iterator[Finding]:
    """What only `restricted` refuses."""
    yield from _let_through(scene, each, pod_restricted.CONTROLS, "the level `restricted` would refuse it")


def _let_through(scene: Scene, each: Object, controls: Controls, why: str) -> Iterator[Finding]:
    """Findings of controls that the namespace's level does not know; those that it knows are told by `of_namespace`."""
    known = LEVELS[_level(scene, each)]
    for found in _broken(tuple(one for one in controls if one not in known), each.pod, scene.facts.minor):
        yield Finding(found.path, f"{found.message}: {why}", found.hint or "take it away")


def _broken(controls: Controls, pod: Pod, minor: Minor) -> list[Finding]:
    return [found for control in controls for found in control(pod, minor)]


def _level(scene: Scene, each: Object) -> str:
    return scene.facts.levels.get(each.namespace, "privileged")
