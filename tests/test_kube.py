"""Signing in to EKS: the token that the API server sends to STS."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from generators.errors import FleetError
from generators.tools import kubectl
from tests.fleets import ROOT
from tests.tool_needed import needed


def asked(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """As kubectl runs it: nothing of the shell's AWS, and from any folder."""
    plain = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    plain |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    plain |= {"AWS_EC2_METADATA_DISABLED": "true", "PYTHONPATH": str(ROOT), "FLEET_ROOT": str(ROOT)}
    command = [sys.executable, "-m", "scripts.eks_token", *arguments]
    return subprocess.run(command, env=plain | env, cwd="/", capture_output=True, text=True, check=False)


def test_the_token_is_a_signed_question_to_sts_about_this_cluster() -> None:
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_SESSION_TOKEN": "session"}
    done = asked("dev-tokyo", **keys)
    found = json.loads(done.stdout)
    assert (found["apiVersion"], found["kind"]) == ("client.authentication.k8s.io/v1", "ExecCredential")
    datetime.fromisoformat(found["status"]["expirationTimestamp"])
    prefix, text = found["status"]["token"].split(".", 1)
    assert prefix == "k8s-aws-v1"
    assert "=" not in text
    url = urlsplit(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode())
    assert (url.scheme, url.netloc, url.path) == ("https", "sts.ap-northeast-1.amazonaws.com", "/")
    query = {key: value[0] for key, value in parse_qs(url.query).items()}
    assert query["Action"] == "GetCallerIdentity"
    assert query["X-Amz-SignedHeaders"] == "host;x-k8s-aws-id"
    assert query["X-Amz-Security-Token"] == "session"
    # More than fifteen minutes the API server refuses.
    assert int(query["X-Amz-Expires"]) <= 900


def test_without_credentials_it_says_so() -> None:
    done = asked("dev-tokyo")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Unable to locate credentials\n"


def test_an_api_server_that_falls_silent_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubectl, "ANSWER_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        cluster = {"name": "silent", "cluster": {"server": f"http://127.0.0.1:{silent.getsockname()[1]}"}}
        context = {"name": "silent", "context": {"cluster": "silent", "user": ""}}
        config = {"apiVersion": "v1", "kind": "Config", "clusters": [cluster], "contexts": [context]}
        file = tmp_path / "config"
        file.write_text(json.dumps(config | {"current-context": "silent"}))
        with pytest.raises(FleetError, match=r"(?i)timeout|deadline"):
            kubectl.Kubectl(needed("kubectl"), file)("get", "--raw=/readyz")


def test_a_cluster_that_is_none() -> None:
    done = asked("dev-toky")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no cluster `dev-toky`" in done.stderr
