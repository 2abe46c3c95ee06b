"""What the jsonnet refuses, by its name."""

from __future__ import annotations

import copy
import json
import re

import pytest

from tests.gpu_inference import (
    EVERYTHING,
    SLICED,
    WARM,
    Facts,
    at,
    changed,
    library,
    refusal,
)

REQUIRED = [
    *[key for key in EVERYTHING if key not in {"name", "environment"}],
    *[f"{key}.{inner}" for key in ("app", "images", "roles") for inner in EVERYTHING[key]],
    *[f"nodeGroups.gpu-sliced.{key}" for key in SLICED if key not in {"max", "warm"}],
    *[f"servers.default.{key}" for key in EVERYTHING["servers"]["default"] if key != "own"],
    *[f"jobs.weekly.{key}" for key in EVERYTHING["jobs"]["weekly"] if key != "server"],
    "jobs.beside-server.server",
]


OF_WARM = [
    "nodeGroups.gpu-a10g.warm",
    *[f"nodeGroups.gpu-a10g.warm.{key}" for key in WARM["nodeGroups"]["gpu-a10g"]["warm"]],
    *[f"modelFolder.{key}" for key in WARM["modelFolder"]],
]


@pytest.mark.parametrize("path", OF_WARM)
def test_a_missing_fact_of_warm_models_is_named(path: str) -> None:
    cluster = copy.deepcopy(WARM)
    place, last = at(cluster, path)
    del place[last]
    assert f"{path.rpartition('.')[0]}: `{last}` is required" in refusal(cluster)


@pytest.mark.parametrize("path", REQUIRED)
def test_a_missing_fact_is_named(path: str) -> None:
    cluster = copy.deepcopy(EVERYTHING)
    place, last = at(cluster, path)
    del place[last]
    assert f"{path.rpartition('.')[0] or 'cluster'}: `{last}` is required" in refusal(cluster)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("nodeGroups.gpu-t4.mode", "rented", "nodeGroups.gpu-t4: `mode` is `rented`"),
        ("nodeGroups.gpu-t4.gpusPerServer", 2, "nodeGroups.gpu-t4: its servers ask for more GPUs than there are"),
        ("jobs.nightly.nodeGroups", ["workers"], "jobs.nightly: `nodeGroups` has `workers`, which has no GPU"),
        ("jobs.weekly.nodeGroups", ["gpu-a10g", "gpu-t4"], "jobs.weekly: `nodeGroups` are not of one mode"),
        ("jobs.nightly.parallelism", 65, "IndexedSpec: `parallelism` 65 is more than `completions` 64"),
        ("jobs.nightly.maxFailed", 65, "IndexedSpec: `maxFailed` 65 is more than `completions` 64"),
        ("roles.gpu-inference", "prod-tokyo-gpu", "`prod-tokyo-gpu` is not the ARN of an IAM role"),
    ],
)
def test_a_wrong_fact_is_named(path: str, value: object, words: str) -> None:
    assert words in refusal(changed(path, value))


@pytest.mark.parametrize(
    ("constructor", "required"),
    [
        ("ServiceAccount", ["labels", "name", "namespace"]),
        ("NodeFolder", ["claim", "labels", "name", "namespace", "nodes", "path"]),
        ("PriorityClass", ["description", "labels", "name", "value"]),
        ("Service", ["labels", "name", "namespace", "ports", "selector"]),
        ("NetworkPolicy", ["labels", "name", "namespace", "podSelector"]),
        ("DaemonSet", ["labels", "maxUnavailable", "name", "namespace", "selector", "template"]),
        ("Job", ["labels", "name", "namespace", "spec"]),
        ("CronJob", ["labels", "name", "namespace", "schedule", "spec", "suspend", "timeZone"]),
    ],
)
def test_a_constructor_names_the_parameter_that_is_missing(constructor: str, required: list[str]) -> None:
    given_all: Facts = {key: {} for key in required} | {"name": "x", "spec": {"completions": 1}}
    for missing in required:
        rest = json.dumps({key: value for key, value in given_all.items() if key != missing})
        code = f"(import 'kube.libsonnet').{constructor}({rest})"
        with pytest.raises(RuntimeError, match=f"{constructor}: `{missing}` is required"):
            library(code)


def test_a_job_whose_host_names_would_be_too_long_is_refused() -> None:
    code = "(import 'kube.libsonnet').Job({name: '%s', namespace: 'n', labels: {}, spec: {completions: 1}})"
    assert library(code % ("n" * 61))["metadata"]["name"]
    with pytest.raises(RuntimeError, match="makes host names of 64 characters; 63 is the most"):
        library(code % ("n" * 62))


def test_the_hash_is_of_the_value_and_not_of_its_writing() -> None:
    hashes = library("local h = import 'hash.libsonnet'; [h({a: 1, b: [2]}), h({b: [2], a: 0 + 1}), h({a: 1})]")
    assert re.fullmatch("[0-9a-f]{8}", hashes[0])
    assert hashes[0] == hashes[1] != hashes[2]
