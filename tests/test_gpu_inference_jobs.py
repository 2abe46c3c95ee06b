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
    groups_of,
    job,
    names,
    of_kind,
    render,
    spec_of,
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
    ignored, stopped, bad_input = spec["podFailurePolicy"]["rules"]
    assert ignored == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    [container] = spec["template"]["spec"]["containers"]
    assert stopped["action"] == "Ignore"
    assert stopped["onExitCodes"]["values"] == [75]
    [run] = [each["valueFrom"] for each in container["env"] if each["name"] == "INFERENCE_RUN"]
    assert run == {"fieldRef": {"fieldPath": "metadata.labels['batch.kubernetes.io/job-name']"}}
    assert bad_input == {
        "action": "FailIndex",
        "onExitCodes": {"containerName": container["name"], "operator": "In", "values": [65]},
    }
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    annotations = spec["template"]["metadata"]["annotations"]
    assert annotations == {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}
    assert container["command"] == ["python", "-m", "inference_worker", "run"]
    assert (
        environment(container).items()
        >= {
            "INFERENCE_BUCKET": EVERYTHING["bucket"],
            "INFERENCE_INPUT": "movies/",
            "INFERENCE_OUTPUT": "results/",
            "INFERENCE_MODEL": "models/resnet50/1/model.onnx",
            "INFERENCE_SHARDS": "64",
        }.items()
    )


def test_a_job_goes_to_its_reserve_when_its_first_group_cannot_grow() -> None:
    smaller = changed("nodeGroups.gpu-reserve.memoryMib", 6000)
    pod = the(render(smaller), "CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert groups_of(pod) == {"gpu-a10g", "gpu-reserve"}
    [preferred] = pod["affinity"]["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert preferred["preference"]["matchExpressions"][0]["values"] == ["gpu-a10g"]
    assert pod["containers"][0]["resources"]["limits"]["memory"] == "6000Mi"


def test_a_job_spreads_over_zones_where_it_can() -> None:
    for name, kind in (("nightly", "Job"), ("weekly", "CronJob")):
        template = spec_of(the(render(EVERYTHING), kind, name))["template"]
        [spread] = template["spec"]["topologySpreadConstraints"]
        assert spread["whenUnsatisfiable"] == "ScheduleAnyway"
        assert spread["labelSelector"]["matchLabels"] == {"inference-fleet/job": name}
        assert template["metadata"]["labels"]["inference-fleet/job"] == name


def test_a_schedule_makes_a_cronjob_that_keeps_few_jobs_and_never_two_at_once() -> None:
    found = the(render(EVERYTHING), "CronJob")
    assert found["metadata"]["name"] == "weekly"  # changed in place: only its Jobs are made anew
    spec = found["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["suspend"]) == ("0 3 * * 6", "Etc/UTC", False)
    assert spec["concurrencyPolicy"] == "Forbid"
    assert 1 <= spec["successfulJobsHistoryLimit"] <= spec["failedJobsHistoryLimit"] <= 5
    assert spec["jobTemplate"]["spec"]["successPolicy"] == {"rules": [{"succeededCount": 60}]}
    assert "successPolicy" not in the(render(EVERYTHING), "Job", "nightly")["spec"]


def test_with_mps_a_worker_leaves_shared_memory_to_the_daemon() -> None:
    cluster = changed("nodeGroups.gpu-sliced.sharing", "mps")
    paths = {
        each["mountPath"]
        for each in the(render(cluster), "Job", "thumbnails")["spec"]["template"]["spec"]["containers"][0][
            "volumeMounts"
        ]
    }
    assert paths == {"/tmp"}  # noqa: S108


def test_suspend_holds_a_job_or_a_schedule_back() -> None:
    assert the(render(changed("jobs.nightly.suspend", value=True)), "Job", "nightly")["spec"]["suspend"] is True
    held = the(render(changed("jobs.weekly.suspend", value=True)), "CronJob")["spec"]
    assert held["suspend"] is True
    assert held["jobTemplate"]["spec"]["suspend"] is False


def test_a_worker_with_a_gpu_has_the_image_for_it() -> None:
    objects = render(EVERYTHING)
    images = EVERYTHING["images"]
    for name, image in (("beside-server", "worker"), ("nightly", "cudaWorker"), ("thumbnails", "cudaWorker")):
        container = the(objects, "Job", name)["spec"]["template"]["spec"]["containers"][0]
        assert container["image"] == images[image]


def job_name(cluster: Facts, name: str = "nightly") -> str:
    return str(the(render(cluster), "Job", name)["metadata"]["name"])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("jobs.nightly.input", "films/"),
        ("jobs.nightly.output", "elsewhere/"),
        ("jobs.nightly.shards", 65),
        ("jobs.nightly.nodeGroups", ["gpu-sliced"]),
        ("jobs.nightly.nodeGroups", ["gpu-a10g", "gpu-reserve"]),
        ("jobs.nightly.maxFailed", 8),
        ("jobs.nightly.enough", 50),
        ("images.cudaWorker", "registry/inference-worker:0.2.0-cuda"),
        ("bucket", "another"),
        # Metrics are by it.
        ("name", "other"),
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
        ("jobs.thumbnails.shards", 80),
        ("jobs.nightly.suspend", True),
        ("images.worker", "registry/inference-worker:0.2.0"),
        ("servers.default.image", "nvcr.io/nvidia/tritonserver:25.09-py3"),
        ("servers.default.modelRepository", "other/"),
        ("nodeGroups.gpu-a10g.max", 2),
        ("nodeGroups.gpu-t4.cpuMilli", 8000),
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
