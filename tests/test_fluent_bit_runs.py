"""A real Fluent Bit reads lines as the kubelet keeps them, by the configuration that the chart makes of a cluster.

CloudWatch Logs and the kubelet are stand-ins: the first keeps what comes, the second is not there, so that events lack
the names of their pods. What CloudWatch makes of an event nobody sees here; embedded_metrics.py holds it to the format.

No package registry has Fluent Bit. `make fluent-bit` builds it, for which it must reach GitHub; without it these tests
are skipped, in `.ci/run` too. The workflow `check` builds it in a job of its own, where they may not be skipped.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from inference_worker.telemetry import Metrics

from tests import own_charts
from tests.embedded_metrics import faults
from tests.fluent_bit_build import program
from tests.logs_stand_in import Logs, logs
from tests.own_charts import Values, template

CLUSTER = "prod-tokyo"
APPLICATION, METRICS = (f"/aws/containerinsights/{CLUSTER}/{kind}" for kind in ("application", "metrics"))
SECONDS = 60
"""Long after any of this should have happened."""


@pytest.fixture(scope="module")
def fluent_bit() -> Path:
    if found := program():
        return found
    message = "fluent-bit is missing: `make fluent-bit` builds it from its source, or put one on PATH"
    if os.environ.get("FLUENT_BIT_NEEDED"):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def metrics(capsys: pytest.CaptureFixture[str], count: int) -> list[str]:
    """Lines as a worker writes them."""
    capsys.readouterr()
    for frames in range(count):
        each = Metrics({"ClusterName": CLUSTER, "Batch": "backlog"}, Run="backlog-1", Model='models/é "x"\\.onnx')
        each.count(Frames=frames, WaitSeconds=frames / 7)
        each.tell()
    return capsys.readouterr().out.splitlines()


def kubelet_keeps(lines: list[str], stream: str = "stdout") -> str:
    """As containerd writes a container's log; a line that is long comes in parts."""
    found = []
    for line in lines:
        head, tail = line[:200], line[200:]
        parts = [("P", head), ("F", tail)] if tail else [("F", head)]
        found += [f"2026-11-24T10:00:00.123456789Z {stream} {flag} {text}\n" for flag, text in parts]
    return "".join(found)


def log_file(folder: Path, pod: str, namespace: str, container: str) -> Path:
    return folder / f"{pod}_{namespace}_{container}-{'0a' * 32}.log"


@contextmanager
def running(fluent_bit: Path, folder: Path, values: Values) -> Iterator[tuple[Path, Logs]]:
    """Fluent Bit with the chart's configuration, but for where things lie; the folder of logs, and what came."""
    pods, state, files = folder / "pods", folder / "state", folder / "conf"
    for each in (pods, state, files):
        each.mkdir()
    with logs({APPLICATION, METRICS}, folder) as kept:
        said: dict[str, str] = template("fluent-bit", values)["ConfigMap", "fluent-bit"]["data"]
        for name, text in said.items():
            (files / name).write_text(moved(text, {"pods": pods, "state": state, "conf": files}, kept.port))
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("AWS_")},
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "HOST_IP": "127.0.0.1",
            "HOST_NAME": "node-1",
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        }
        with (folder / "said").open("w") as said_by_it:
            process = subprocess.Popen(
                [fluent_bit, "-c", files / "fluent-bit.conf"],
                env=environment,
                cwd=files,
                stdout=said_by_it,
                stderr=subprocess.STDOUT,
            )
            try:
                yield pods, kept
            finally:
                process.terminate()
                process.wait(SECONDS)


def moved(text: str, folders: dict[str, Path], port: int) -> str:
    """The configuration with this machine's places, and with the stand-in in AWS's."""
    text = text.replace("/var/log/containers", str(folders["pods"])).replace(
        "var.log.containers", str(folders["pods"]).strip("/").replace("/", ".")
    )
    text = text.replace("/var/fluent-bit/state", str(folders["state"])).replace("/fluent-bit/etc", str(folders["conf"]))
    text = re.sub(r"^( +HTTP_Server +)On", r"\1Off", text, flags=re.MULTILINE)
    text = re.sub(r"^( +Health_Check +)On", r"\1Off", text, flags=re.MULTILINE)
    text = re.sub(r"^( +Flush +)5", r"\g<1>1", text, flags=re.MULTILINE)
    here = rf"\g<0>\n    endpoint 127.0.0.1\n    port {port}\n    tls.verify Off"
    return re.sub(r"^ +region +\S+$", here, text, flags=re.MULTILINE)


def until(true: Callable[[], bool], folder: Path) -> None:
    """Waits; what Fluent Bit said meanwhile is told where it was in vain."""
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end, (folder / "said").read_text()[-4000:]
        time.sleep(0.2)


def of_cluster(**application: Any) -> Values:
    values = own_charts.of_cluster("fluent-bit", CLUSTER)
    off: Values = {"dataplane": {"enabled": False}, "host": {"enabled": False}}
    return {**values, **off, "application": {**values["application"], **application}}


def test_metrics_arrive_to_the_byte_whatever_becomes_of_the_lines_around_them(
    fluent_bit: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three hundred in one second, where of other lines every one is dropped and a node may send ten a second."""
    wanted = metrics(capsys, 300)
    others = [json.dumps({"level": "info", "message": f"movie {number}"}) for number in range(300)]
    mixed = [line for pair in zip(wanted, others, strict=True) for line in pair]
    values = of_cluster(sampledNamespaces={"gpu-inference": 1}, dropPatterns=["."], linesPerSecond=10)
    with running(fluent_bit, tmp_path, values) as (pods, kept):
        log_file(pods, "backlog-1-0-abcde", "gpu-inference", "worker").write_text(kubelet_keeps(mixed))
        until(lambda: len(kept.messages(METRICS)) >= len(wanted), tmp_path)
    assert kept.messages(METRICS) == wanted
    assert kept.messages(APPLICATION) == []
    now = int(time.time() * 1000)
    assert [found for message in wanted if (found := faults(message, now))] == []
    ((stream, format_),) = {(stream, format_) for _, stream, format_, _ in kept.events}
    assert format_ == "json/emf"
    assert stream.startswith("node-1-metrics.application.")


def test_by_the_clusters_own_file_batches_keep_all_their_lines_and_servers_a_tenth(
    fluent_bit: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (metric,) = metrics(capsys, 1)
    lines = [json.dumps({"level": "info", "message": f"movie {number}"}) for number in range(500)]
    with running(fluent_bit, tmp_path, of_cluster()) as (pods, kept):
        log_file(pods, "backlog-1-0-abcde", "gpu-inference", "worker").write_text(kubelet_keeps([*lines, metric]))
        log_file(pods, "server-gpu-t4-abcde", "gpu-inference", "server").write_text(kubelet_keeps(lines))
        # Of another namespace, where nobody said that its lines are metrics, it is a line like others.
        log_file(pods, "notebook-0", "sandbox", "worker").write_text(kubelet_keeps([metric]))
        until(lambda: len(kept.messages(APPLICATION)) >= len(lines) + 2, tmp_path)
        until(lambda: len(kept.messages(METRICS)) == 1, tmp_path)
    came = [(stream, json.loads(message)) for group, stream, _, message in kept.events if group == APPLICATION]
    batch = [event["log_processed"] for stream, event in came if "_gpu-inference_worker-" in stream]
    assert [each["message"] for each in batch] == [json.loads(line)["message"] for line in lines]
    assert 10 < len([stream for stream, _ in came if "_gpu-inference_server-" in stream]) < 120
    (foreign,) = [event for stream, event in came if "_sandbox_worker-" in stream]
    assert "_aws" in foreign["log_processed"]
    assert faults(json.dumps(foreign), 0), "wrapped, CloudWatch makes nothing of it"
    assert kept.messages(METRICS) == [metric]
