"""Pipelines keep nothing on volumes: an EBS volume stays in its zone, and what needs it does not start in another."""

from __future__ import annotations

from collections.abc import Iterator

from generators.checks.policy.objects import Object, at, items
from generators.checks.policy.rule import Scene
from generators.model.base import Finding, Path

HINT = "artifacts belong in S3 and metadata in RDS; scratch space in an emptyDir with a sizeLimit"


def no_claim(scene: Scene, each: Object) -> Iterator[Finding]:
    """No PersistentVolumeClaim, by itself, in a template, or asked for by a pod."""
    if each.namespace in scene.facts.pipelines_namespaces:
        for path in _claims(each):
            yield Finding(path, "keeps data on a volume, which ties the pipelines to one zone", HINT)


def _claims(each: Object) -> Iterator[Path]:
    if each.kind == "PersistentVolumeClaim":
        yield ("kind",)
    for index, _ in enumerate(items(at(each.spec, "volumeClaimTemplates"))):
        yield ("spec", "volumeClaimTemplates", index)
    for path, volume in each.pod.volumes():
        yield from ((*path, source) for source in ("persistentVolumeClaim", "ephemeral") if source in volume)
