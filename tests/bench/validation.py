"""Validation by kubeconform, on the same files."""

from __future__ import annotations

from pathlib import Path

from tests.bench import validate
from tests.bench.measure import Row

TARGET_MS = 0.5


def rows(folder: Path) -> list[Row]:
    """Our check by kubeconform's as whole processes, and ours per object by the target of half a millisecond."""
    objects = folder / "objects"
    objects.mkdir()
    validate.generate(objects)
    found = validate.compare(objects)
    each = found["ours_ms_per_object"]
    detail = f"{found['ours_s']:.2f} s by {found['kubeconform_s']:.2f} s, {found['objects']:.0f} objects"
    return [
        Row("validation in one process / kubeconform on all cores", found["ratio"], 3, detail),
        Row("an object's parse and validation in ms / 0.5", each / TARGET_MS, 1, f"{each:.3f} ms"),
    ]
