"""Where a person changes what stands in a rendered object."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from generators.checks.upgrade import objects
from generators.errors import Problem
from generators.model.base import Finding
from generators.model.catalog import Inputs
from generators.pipeline import rendered
from generators.pipeline.upgrade import hand_written
from generators.source import reader


def placed(root: Path, after: Inputs, each: rendered.Rendered, finding: Finding) -> Problem:
    """A finding about an API version or an image, at the line that a person wrote where one is found."""
    problem = rendered.placed(each, finding)
    written = _value(each.document, finding.path)
    if not (each.app and isinstance(written, str)):
        return problem
    image, tag = objects.split(written) if finding.path[-1] == "image" else ("", "")
    app = after.catalog.apps[each.app]
    if app.kind == "kustomize" and not image:
        return problem  # the base's own line, which `rendered.placed` knows
    metadata: Any = each.document.get("metadata") or {}
    words = (each.document.get("kind"), metadata.get("name"), image)
    beside = [word for word in words if isinstance(word, str) and word]
    place = hand_written.find(root, each.app, app, [text for text in (written, tag) if text], beside)
    return replace(problem, place=place) if place else problem


def refusal(root: Path, problem: Problem, temporary: str) -> Problem:
    """What kustomize or helm refused in the folder `temporary`, in one line; a minor, at the key of the chart."""
    lines = [line for line in problem.message.splitlines() if line and "--debug" not in line]
    told = replace(problem, message=" ".join(lines).replace(f"{temporary}/", ""))
    path = f"{problem.place.file}/Chart.yaml"
    if "kubeVersion" not in told.message or not (root / path).is_file():
        return told
    return replace(told, place=reader.read(root / path, path).place_of(("kubeVersion",)), key="kubeVersion")


def _value(document: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        fits = isinstance(document, list) if isinstance(step, int) else isinstance(document, dict) and step in document
        if not fits:
            return None
        document = document[step]
    return document
