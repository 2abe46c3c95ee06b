"""What a worker tells is what CloudWatch makes metrics of, and it is by few things that stay the same at every run."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from inference_worker import telemetry
from inference_worker.telemetry import Metrics

from tests import fleets
from tests.embedded_metrics import faults
from tests.gpu_inference import EVERYTHING, environment, render, the

KNOWN = json.loads((Path(__file__).parent / "cloudwatch_metrics.json").read_text())[telemetry.NAMESPACE]
IN_A_CLUSTER = {"ClusterName": "demo", "Batch": "nightly"}


def told(capsys: pytest.CaptureFixture[str], dimensions: dict[str, str], **counts: float) -> str:
    metrics = Metrics(dimensions, Run="nightly-29384756", Model="models/é.onnx")
    metrics.count(**counts)
    metrics.tell()
    return capsys.readouterr().out.rstrip("\n")


@pytest.mark.parametrize("counts", [{}, {"Frames": 64, "WaitSeconds": 0.12345}], ids=["nothing yet", "some"])
@pytest.mark.parametrize("dimensions", [IN_A_CLUSTER, {"ClusterName": "", "Batch": ""}], ids=["cluster", "laptop"])
def test_each_line_is_one_that_cloudwatch_takes(
    capsys: pytest.CaptureFixture[str], dimensions: dict[str, str], counts: dict[str, float]
) -> None:
    line = told(capsys, dimensions, **counts)
    assert faults(line, int(time.time() * 1000)) == []
    assert line.startswith('{"_aws": '), "by it Fluent Bit knows the line"
    assert counts.items() <= {**json.loads(line), "WaitSeconds": counts.get("WaitSeconds")}.items()


def test_it_is_summed_by_cluster_and_by_batch_and_by_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    """Each set of dimensions that turns up is eight metrics, at 0.30 USD a month: no pod, no run, no shard."""
    event = json.loads(told(capsys, IN_A_CLUSTER))
    (about,) = event["_aws"]["CloudWatchMetrics"]
    assert about["Dimensions"] == [["ClusterName"], ["ClusterName", "Batch"]]
    assert event["Run"] == "nightly-29384756"
    assert {frozenset(each.split()) for each in KNOWN["dimensions"]} == {
        frozenset(each) for each in about["Dimensions"]
    }


def test_what_was_not_counted_is_zero_and_not_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    event = json.loads(told(capsys, IN_A_CLUSTER, MoviesAtFault=3))
    assert (event["Movies"], event["MoviesAtFault"]) == (0, 3)
    for names in KNOWN["dimensions"].values():
        assert set(names) == set(telemetry.UNITS)


def test_a_job_tells_the_worker_its_cluster_and_the_name_that_its_batch_keeps() -> None:
    for name in ("nightly", "weekly"):
        kind = "CronJob" if name == "weekly" else "Job"
        spec = the(render(EVERYTHING), kind, name)["spec"]
        pod = (spec["jobTemplate"]["spec"] if kind == "CronJob" else spec)["template"]["spec"]
        said = environment(pod["containers"][0])
        assert (said["INFERENCE_CLUSTER"], said["INFERENCE_BATCH"]) == (EVERYTHING["name"], name)


GOOD = '{"_aws": {"Timestamp": %d, "CloudWatchMetrics": [{"Namespace": "N", "Dimensions": [["D"]], "Metrics": [{"Name": "M", "Unit": "Count"}]}]}, "D": "d", "M": 1}'  # noqa: E501


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('{"_aws"', '{"log_processed": {"_aws"', "it is no JSON"),
        ('"_aws"', '"aws"', '"_aws" is a required property'),
        ('"Count"', '"Counts"', '"Counts" is not one of'),
        ('[["D"]]', '["D"]', '"D" is not of type "array"'),
        ('"D": "d"', '"D": 1', "dimension D has no text beside it"),
        ('"M": 1', '"M": "1"', "metric M has no number beside it"),
        ('"Timestamp": ', '"Timestamp": 1', "is not of the last two weeks"),
    ],
)
def test_what_cloudwatch_would_not_take_is_seen(old: str, new: str, said: str) -> None:
    now = int(time.time() * 1000)
    assert faults(GOOD % now, now) == []
    assert old in GOOD
    assert any(said in each for each in faults((GOOD % now).replace(old, new), now))


def test_the_groups_that_hold_them_are_made_by_terraform_and_written_by_fluent_bit() -> None:
    inputs = fleets.committed().load("prod-tokyo")
    facts: Any = json.loads(
        (fleets.ROOT / "clusters/prod-tokyo/generated/terraform/cluster.tfvars.json").read_text(encoding="utf-8")
    )
    group = "/aws/containerinsights/prod-tokyo/metrics"
    assert group in facts["monitoring"]["log_groups"]
    (role,) = [each for each in facts["identities"].values() if each["service_account"] == "fluent-bit"]
    (statement,) = role["statements"]
    assert f"arn:aws:logs:{inputs.cluster.region}:{inputs.cluster.account}:log-group:{group}:*" in statement["Resource"]
