"""Which Kubernetes a lab runs: the one that is built, or of `KUBEBUILDER_ASSETS`, whatever a cluster file says."""

from __future__ import annotations

import json
import sys

import pytest

from generators.lab.lab import Lab


def test_the_run_says_which_it_used(synced: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(synced.kubectl("get", "--raw", "/version"))
    wanted = synced.inputs.cluster.kubernetes
    with capsys.disabled():
        sys.stdout.write(f"\n{synced.inputs.cluster.name}: {synced.kubernetes}\n")
    same = found["gitVersion"].startswith(f"v{wanted}.")
    assert synced.kubernetes.startswith(f"Kubernetes {found['gitVersion'].removeprefix('v')}")
    assert (wanted in synced.kubernetes.partition(",")[2]) != same
