"""The batches of `apps/gpu-inference`: how they run, and what their names depend on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gpu_inference import (
    A10G,
    EVERYTHING,
    Facts,
    changed,
    environment,
    facts,
    gpus,
    job,
    names,
    of_kind,
    render,
    the,
)


def test_a_job_asks_for_one_gpu_or_one_slice_and_knows_its_part_of_the_memory() -> None:
    objects = render(EVERYTHING)
    for name, memory in (("nightly", "16384"), ("thumbnails", "4096")):
        worker = the(objects, "Job", name)["spec"]["template"]["spec"]
        assert gpus(worker) == 1
        assert environment(worker["containers"][0])["INFERENCE_GPU_MEMORY_MIB"] == memory


def test_a_job_outlives_spot_nodes_and_gives_up_on_bad_input() -> None:
    found = the(render(EVERYTHING), "Job", "nightly")
    spec = found["spec"]
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 64, 40)
    assert (spec["backoffLimitPerIndex"], spec["maxFailedIndexes"]) == (3, 7)
    assert "ttlSecondsAfterFinished" not in spec
    ignored, bad_input = spec["podFailurePolicy"]["rules"]
    assert ignored == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    [container] = spec["template"]["spec"]["containers"]
    assert bad_input == {
        "action": "FailIndex",
        "onExitCodes": {"containerName": container["name"], "operator": "In", "values": [65]},
    }
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    annotations = spec["template"]["metadata"]["annotations"]
    assert annotations == {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}
    assert container["command"] == ["python", "-m", "worker", "run"]
    assert (
        environment(container).items()
        >= {
            "INFERENCE_BUCKET": EVERYTHING["bucket"],
            "INFERENCE_INPUT": "movies/",
            "INFERENCE_OUTPUT": "results/",
            "INFERENCE_SHARDS": "64",
        }.items()
    )


def job_name(cluster: Facts, name: str = "nightly") -> str:
    return str(the(render(cluster), "Job", name)["metadata"]["name"])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("jobs.nightly.input", "films/"),
        ("jobs.nightly.output", "elsewhere/"),
        ("jobs.nightly.shards", 65),
        ("jobs.nightly.nodeGroup", "gpu-sliced"),
        ("images.worker", "registry/inference-worker:0.2.0"),
        ("bucket", "another"),
        ("region", "us-east-1"),
        ("nodeGroups.gpu-a10g.memoryMib", 32768),
        ("nodeGroups.gpu-a10g.taints", []),
    ],
)
def test_a_jobs_name_changes_with_what_cannot_be_changed_in_place(path: str, value: Any) -> None:
    assert job_name(changed(path, value)) != job_name(EVERYTHING)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("jobs.nightly.parallelism", 8),
        ("jobs.thumbnails.shards", 3),
        ("images.server", "nvcr.io/nvidia/tritonserver:25.09-py3"),
        ("modelRepository", "other/"),
        ("nodeGroups.gpu-a10g.max", 2),
        ("nodeGroups.gpu-t4.vcpu", 8),
        ("name", "other"),
        ("environment", "staging"),
        ("roles.gpu-inference", "arn:aws:iam::123456789012:role/other"),
    ],
)
def test_a_jobs_name_does_not_change_with_anything_else(path: str, value: Any) -> None:
    assert job_name(changed(path, value)) == job_name(EVERYTHING)


def test_jobs_with_one_spec_have_names_of_their_own() -> None:
    twins = facts({"gpu-a10g": A10G}, {"one": job("gpu-a10g"), "two": job("gpu-a10g")})
    assert len(names(of_kind(render(twins), "Job"))) == 2


def test_the_longest_name_still_makes_host_names() -> None:
    longest = "j" * 40
    found = the(render(facts({"gpu": A10G}, {longest: job("gpu", shards=100_000)})), "Job")
    assert len(f"{found['metadata']['name']}-99999") <= 63
