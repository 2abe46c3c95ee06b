"""Validation by kubeconform, on the same files; and policy, by what reading and validating an object takes."""

from __future__ import annotations

import time
from itertools import cycle, islice
from pathlib import Path

from generators.checks.policy.facts import facts
from generators.checks.policy.review import review
from tests import fleets
from tests.bench import validate
from tests.bench.measure import Row

TARGET_MS = 0.5
OBJECTS_IN_A_NAMESPACE = 140


def rows(folder: Path) -> list[Row]:
    """Our check by kubeconform's as whole processes, and ours per object by the target of half a millisecond."""
    objects = folder / "objects"
    objects.mkdir()
    validate.generate(objects)
    found = validate.compare(objects)
    each = found["ours_ms_per_object"]
    policy = min(policy_ms() for _ in range(validate.ROUNDS))
    detail = f"{found['ours_s']:.2f} s by {found['kubeconform_s']:.2f} s, {found['objects']:.0f} objects"
    return [
        Row("validation in one process / kubeconform on all cores", found["ratio"], 3, detail),
        Row("an object's parse and validation in ms / 0.5", each / TARGET_MS, 1, f"{each:.3f} ms"),
        Row("an object's policy / its parse and validation", policy / each, 1, f"{policy:.3f} ms"),
    ]


def policy_ms(count: int = 2_000) -> float:
    """Policy over `count` objects of 14 kinds, in namespaces of a size that real ones have; milliseconds an object."""
    known = facts(fleets.committed().load("prod-tokyo"))
    objects = [
        ("gpu-inference", obj | {"metadata": obj["metadata"] | {"name": f"sample-{number}", "namespace": namespace}})
        for number, obj in enumerate(islice(cycle(validate.samples()), count))
        for namespace in [f"apps-{number // OBJECTS_IN_A_NAMESPACE}"]
    ]
    started = time.perf_counter()
    review(known, objects)
    return (time.perf_counter() - started) / count * 1e3
