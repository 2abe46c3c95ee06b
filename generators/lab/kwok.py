"""kwok in the place of kubelets. How nodes and pods go on, its own files say, out of the pinned module."""

from __future__ import annotations

from pathlib import Path

import yaml

from generators.lab.control_plane import ADMINISTRATORS, Api
from generators.lab.home import Home, free_port
from generators.lab.processes import Processes
from generators.tools.binaries import require
from generators.tools.crds import Module, folder

KWOK = Module(
    path="sigs.k8s.io/kwok",
    version="v0.8.0",
    sum="h1:OTIOTwgROqPMovcTwxICx2eYQ4AwLpSx5EpjbDKF4SQ=",
    licence="Apache-2.0",
)
STAGES = ("node/fast/node-initialize", "node/heartbeat-with-lease/node-heartbeat-with-lease")
POD_STAGES = ("pod/fast/pod-ready", "pod/fast/pod-complete", "pod/fast/pod-delete")
JOB = "pod-complete"
LEASE_SECONDS = 40
AT_ONCE = 16
"""Pods whose state goes on side by side; kwok's own default is 4. Nothing has a default once the file is there."""
OPTIONS = {
    "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
    "kind": "KwokConfiguration",
    "options": dict.fromkeys(("podPlayStageParallelism", "nodePlayStageParallelism", "nodeLeaseParallelism"), AT_ONCE),
}
HOLD = "inference-fleet/lab-runs-for"
"""An annotation of a Job's pods: how long each takes in a lab, as `5s`, where that is not what the lab was told."""


def start(home: Home, processes: Processes, api: Api, job_seconds: float) -> None:
    """Each Node gets a heartbeat, each pod bound to one becomes Ready, a Job's is done after `job_seconds`."""
    config = api.authority.kubeconfig("kwok.kubeconfig", api.url, "kwok", ADMINISTRATORS)
    stages = home.write("kwok.yaml", yaml.safe_dump_all([OPTIONS, *_stages(job_seconds)]))
    command = [
        str(require("kwok")),
        f"--kubeconfig={config}",
        f"--config={stages}",
        "--manage-all-nodes=true",
        f"--server-address=127.0.0.1:{free_port()}",
        f"--node-lease-duration-seconds={LEASE_SECONDS}",
    ]
    processes.start("kwok", command)


def _stages(job_seconds: float) -> list[dict[str, dict[str, object]]]:
    found = [_stage(folder(KWOK) / "kustomize" / "stage" / f"{name}.yaml") for name in (*STAGES, *POD_STAGES)]
    for stage in found:
        if stage["metadata"]["name"] == JOB:
            stage["spec"]["delay"] = {
                "durationMilliseconds": round(1000 * job_seconds),
                "durationFrom": {"expressionFrom": f'.metadata.annotations["{HOLD}"]'},
            }
    return found


def _stage(file: Path) -> dict[str, dict[str, object]]:
    found = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert isinstance(found, dict)  # noqa: S101 - a file of the pinned module
    return found
