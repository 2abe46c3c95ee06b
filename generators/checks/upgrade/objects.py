"""Rendered objects: API versions that the minor no longer serves, and images that belong to another minor."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from generators.checks.upgrade.concern import Concern, judged, recommended, required
from generators.model.support import Component, Support, ordinal, verdict

DATA = Path(__file__).parents[2] / "data" / "api_lifecycle.json"
Document = Mapping[str, Any]


@cache
def _apis() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads(DATA.read_bytes())["apis"]
    return found


def api(document: Document, target: str) -> Concern | None:
    """The object's API version, where the minor does not serve it, or will not for long."""
    version, kind = str(document.get("apiVersion", "")), str(document.get("kind", ""))
    marks = _apis().get(f"{version} {kind}")
    if marks is None:
        return None
    removed, at = marks.get("removed"), ordinal(target)
    instead = marks.get("replacement", "")
    cure = f"write `apiVersion: {instead}`" if instead else "nothing replaces it: remove the object"
    if removed and at >= ordinal(removed):
        what = f"Kubernetes {target} has no {version} {kind}: it is gone since {removed}"
        return required("api", ("apiVersion",), what, cure)
    if at < ordinal(marks["introduced"]):
        what = f"Kubernetes {target} has no {version} {kind}: it comes with {marks['introduced']}"
        return required("api", ("apiVersion",), what, "remove the object, or go to that minor first")
    if at >= ordinal(marks["deprecated"]):
        end = f"; {removed} is the first without it" if removed else ""
        what = f"{version} {kind} is deprecated since {marks['deprecated']}{end}"
        return recommended("api", ("apiVersion",), what, cure)
    return None


def gone(document: Document, target: str) -> bool:
    """Whether the minor does not serve the object's API version, so that it has no schema for it either."""
    found = api(document, target)
    return found is not None and found.level == "required"


def images(document: Document) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Path and image of every container in the object, wherever its pod template stands."""
    yield from _images((), document)


def _images(path: tuple[str | int, ...], value: object) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from _images((*path, index), each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key in ("containers", "initContainers") and isinstance(each, list):
                yield from _of_containers((*path, key), each)
            else:
                yield from _images((*path, key), each)


def _of_containers(path: tuple[str | int, ...], containers: list[Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for index, each in enumerate(containers):
        if isinstance(each, dict) and isinstance(each.get("image"), str):
            yield (*path, index, "image"), each["image"]


def split(image: str) -> tuple[str, str]:
    """Last part of an image's name, and its tag ("" where it has none)."""
    name, _, tag = image.partition("@")[0].rpartition("/")[2].partition(":")
    return name, tag


def known_images(support: Support) -> dict[str, tuple[str, Component]]:
    """Components that are known by an image: its name → the component's name and facts."""
    return {each.name: (name, each) for name, each in support.components.items() if each.kind == "image"}


def image(path: tuple[str | int, ...], found: str, target: str, coredns: str, support: Support) -> Concern | None:
    """An image whose version belongs to a minor: `coredns` is the tag of EKS's CoreDNS for the target."""
    name, tag = split(found)
    if name == "coredns" and ordinal(tag) != ordinal(coredns):
        what = f"CoreDNS is {tag or 'of no version'}, and {coredns} belongs to Kubernetes {target}"
        return required("coredns", path, what, f"take the tag {coredns}: `fleet` writes it where nothing else does")
    if name == "cluster-autoscaler" and ordinal(tag)[:2] != ordinal(target)[:2]:
        what = f"cluster-autoscaler {tag} is not of Kubernetes {target}: their minors must be equal"
        return required("autoscaler", path, what, f"take a tag v{target}.…")
    if name in (known := known_images(support)) and tag:
        component, facts = known[name]
        return judged("image", path, verdict(component, facts, tag, target))
    return None
