"""Which images run: of a version that stays, from a registry that somebody chose."""

from __future__ import annotations

from collections.abc import Iterator

from generators.checks.policy.objects import Object, at, items
from generators.checks.policy.rule import Scene
from generators.model.base import Finding, Path

DOCKER_HUB = "docker.io"


def tag(_scene: Scene, each: Object) -> Iterator[Finding]:
    """A tag other than `latest`, or a digest."""
    for path, image in _images(each):
        name, _, digest = image.partition("@")
        version = name.rpartition("/")[2].partition(":")[2]
        if digest or version not in ("", "latest"):
            continue
        what = f"`{image}` has no tag, which means `latest`" if not version else f"`{image}` is whatever is newest"
        told = f"{what}: two nodes may run two versions of it, and git tells of neither"
        yield Finding(path, told, f"pin it, for example `{name.partition(':')[0]}:1.2.3`")


def registry(scene: Scene, each: Object) -> Iterator[Finding]:
    """One of the allowed registries, or of their repositories."""
    allowed = scene.facts.registries
    for path, image in _images(each):
        name = full_name(image)
        if not any(name == prefix or name.startswith(f"{prefix}/") for prefix in allowed):
            what = f"`{image}` is from `{name.rpartition('/')[0]}`, which is none of the allowed registries"
            yield Finding(path, what, _registry_hint(scene, name))


def full_name(image: str) -> str:
    """Registry and repository, without tag and digest; Docker Hub's is written out."""
    name = image.partition("@")[0]
    head, slash, tail = name.rpartition("/")
    name = f"{head}{slash}{tail.partition(':')[0]}"
    first = name.partition("/")[0]
    if slash and ("." in first or ":" in first or first == "localhost"):
        return name
    return f"{DOCKER_HUB}/{name if slash else f'library/{name}'}"


def _registry_hint(scene: Scene, name: str) -> str:
    if name.startswith(f"{DOCKER_HUB}/"):
        official = name.removeprefix(f"{DOCKER_HUB}/library/")
        mirror = f"take public.ecr.aws/docker/library/{official}, with its line in generators/data/registries.json, or "
        other = mirror if "/" not in official else ""
        return f"Docker Hub refuses a fleet that pulls much: {other}copy the image to {scene.facts.own_registry}"
    if ".dkr.ecr." in name:
        return f"this cluster's own registry is {scene.facts.own_registry}"
    return f"copy the image to {scene.facts.own_registry}, or add its registry to generators/data/registries.json"


def _images(each: Object) -> Iterator[tuple[Path, str]]:
    """Images of containers, and those that a controller is told by its environment to start: `…_IMAGE`."""
    for container in each.pod.containers:
        if image := container.spec.get("image"):
            yield (*container.path, "image"), str(image)
        for index, variable in enumerate(items(container.spec.get("env"))):
            if str(at(variable, "name")).endswith("_IMAGE") and (image := at(variable, "value")):
                yield (*container.path, "env", index, "value"), str(image)
