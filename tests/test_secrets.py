"""Nothing in the repository lets anybody in, and `fleet secrets` finds what would.

The secrets here are put together when the tests run: written out, each would be one more that the check must find.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from generators.checks import secrets
from generators.pipeline.secrets import every
from generators.source.workspace import Workspace
from tests import fleets
from tests.test_identity_by_hand import CLUSTERS

Fleet = Callable[..., Result]
KEY = "AKIA" + "QWERTYUIOPASDF23"
SECRET_KEY = "q1W2e3R4t5Y6u7I8o9P0" + "a1S2d3F4g5H6j7K8l9Z/"
HEX = "0123456789abcdef" * 4

BAD = [
    ("config", f"[default]\naws_access_key_id = {KEY}\n", 2, 21, "an AWS access key id: `AKIA…`, 20 characters"),
    ("x.py", f'key="{KEY.replace("AKIA", "ASIA")}"', 1, 6, "an AWS access key id"),
    ("config", f"aws_secret_access_key = {SECRET_KEY}", 1, 25, "an AWS secret access key"),
    ("x.json", json.dumps({"SecretAccessKey": SECRET_KEY}), 1, 22, "an AWS secret access key"),
    ("x.sh", f"export AWS_SESSION_TOKEN='{SECRET_KEY * 4}'", 1, 27, "an AWS session token"),
    ("x.pem", "-----BEGIN RSA " + "PRIVATE KEY-----", 1, 1, "a private key"),
    ("x.pem", "-----BEGIN " + "PRIVATE KEY-----", 1, 1, "a private key"),
    ("x.asc", "-----BEGIN PGP " + "PRIVATE KEY BLOCK-----", 1, 1, "a private key"),
    ("x.yaml", "user:\n  client-key-data: " + HEX, 2, 20, "the key of a kubeconfig"),
    ("x", "ghp" + "_" + HEX[:36], 1, 1, "a GitHub token"),
    ("x", "github" + "_pat_" + HEX[:30], 1, 1, "a GitHub token"),
    ("x", "glpat" + "-" + HEX[:20], 1, 1, "a GitLab token"),
    ("x", "xoxb" + "-1234567890-abc", 1, 1, "a Slack token"),
    ("x", "https://hooks.slack" + ".com/services/T0123456/B0123456/abcdefghijklmnop", 1, 9, "a Slack token or webhook"),
    ("x", "hf" + "_" + "abcdefghij" * 4, 1, 1, "a Hugging Face token"),
    ("x", "AIza" + HEX[:35], 1, 1, "a Google API key"),
    ("x", "token: eyJhbGciOiJSUzI1NiJ9" + ".eyJzdWIiOiJzeXN0ZW0ifQ" + ".c2lnbmF0dXJlLXRoZXJl", 1, 8, "a signed token"),
    ("x", "git clone https://me:" + "hunter22@example.com/x.git", 1, 22, "a URL with its password"),
    ("x.yaml", "a: 1\nsecretkey: minio" + "123", 2, 12, "MinIO's password that everybody knows"),
    ("live.tfstate", "{}", 1, 1, "a file of this kind holds secrets"),
    ("a/live.tfstate.backup", "{}", 1, 1, "a file of this kind holds secrets"),
    ("a/id_ed25519", "", 1, 1, "a file of this kind holds secrets"),
    ("x.yaml", "kind: Secret\nstringData: {a: b}\n", 1, 1, "is a Secret with its data"),
    ("x.yaml", "a: b\n---\napiVersion: v1\ndata:\n  a: Yg==\nkind: Secret\n", 6, 1, "is a Secret with its data"),
    ("x.yaml", "kind: List\nitems:\n- kind: Secret\n  data: {a: Yg==}\n", 3, 3, "is a Secret with its data"),
    ("x.json", '{"data": {"a": "Yg=="}, "kind": "Secret"}', 1, 25, "is a Secret with its data"),
]


@pytest.mark.parametrize(("path", "text", "line", "column", "words"), BAD)
def test_what_lets_somebody_in_is_found(path: str, text: str, line: int, column: int, words: str) -> None:
    ((at, to, finding),) = secrets.findings(path, text)
    assert (at, to) == (line, column)
    assert words in finding.message
    assert finding.hint
    assert KEY not in finding.message
    assert SECRET_KEY not in finding.message


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("x.md", "aws_access_key_id = AKIAIOSFODNN7EXAMPLE"),
        ("x.md", "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("x.py", "AKIA is how they begin"),
        ("x.py", f"X{KEY}"),
        ("x.lock", f'sha256:{HEX}"'),
        ("x.pem", "-----BEGIN CERTIFICATE-----"),
        ("x.yaml", "client-key-data: $(KEY)"),
        ("x.py", "https://git.example.com:8443/a@b"),
        ("x.sh", "https://${USER}:${PASSWORD}@example.com"),
        ("x.yaml", "minioadmin: no"),
        ("x.yaml", "kind: Secret\ndata: {}\n"),
        ("x.yaml", "kind: Secret\n---\nkind: ConfigMap\ndata: {a: b}\n"),
        ("x.yaml", "kind: Secret\ntype: kubernetes.io/service-account-token\n"),
        ("x.yaml", "kind: ExternalSecret\nspec:\n  data:\n  - secretKey: a\n"),
        ("x.yaml", "spec:\n  ref:\n    kind: Secret\ndata: {a: b}\n"),
        ("charts/a/templates/x.yaml", "kind: Secret\ndata:\n  a: {{ .Values.a }}\n"),
        ("x.tf", "terraform.tfstate is ignored"),
    ],
)
def test_what_looks_like_it_and_is_none_passes(path: str, text: str) -> None:
    assert list(secrets.findings(path, text)) == []


def test_only_the_examples_of_aws_are_allowed() -> None:
    assert all("EXAMPLE" in each for each in secrets.EXAMPLES)
    assert len(secrets.EXAMPLES) == 3


def test_rendered_objects() -> None:
    assert list(secrets.of_object({"kind": "Secret", "type": "x"})) == []
    assert list(secrets.of_object({"kind": "ClusterSecretStore", "spec": {"provider": {"aws": {"region": "x"}}}})) == []
    (found,) = secrets.of_object({"kind": "Secret", "stringData": {"a": "b"}})
    assert found.path == ("stringData",)
    auth = {"secretRef": {"accessKeyIDSecretRef": {"name": "x"}}}
    (found,) = secrets.of_object({"kind": "ClusterSecretStore", "spec": {"provider": {"aws": {"auth": auth}}}})
    assert found.message == "signs in to AWS with a static key"


def test_this_repository_has_none(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEET_ROOT", str(fleets.ROOT))
    result = fleet("secrets")
    assert result.exit_code == 0, result.output
    assert len(every(fleets.ROOT)) > 500


def test_a_key_anywhere_is_told_with_its_place(workspace: Workspace, fleet: Fleet) -> None:
    (workspace.root / "notes").mkdir()
    (workspace.root / "notes" / "todo.txt").write_text(f"\n  {KEY}\n")
    (workspace.root / "image.bin").write_bytes(b"\x00\xff\xfe " + KEY.encode())
    result = fleet("secrets")
    assert result.exit_code == 1
    assert "error: notes/todo.txt:2:3: holds an AWS access key id: `AKIA…`, 20 characters" in result.stderr
    assert "hint: revoke it where it was issued, before anything else" in result.stderr
    assert "image.bin:1:5: holds an AWS access key id" in result.stderr
    assert "2 secrets in" in result.stderr
    assert KEY not in result.output


def test_machines_get_json_and_files_can_be_named(
    workspace: Workspace, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace.root)
    Path("one.txt").write_text(KEY)
    Path("two.txt").write_text(KEY)
    result = fleet("secrets", "--output", "json", "one.txt")
    assert result.exit_code == 1
    assert [(each["file"], each["line"], each["column"]) for each in json.loads(result.stdout)] == [("one.txt", 1, 1)]
    assert fleet("secrets", "apps/argo-cd/app.yaml").exit_code == 0
    assert fleet("secrets", "three.txt").exit_code == 2
    assert fleet("secrets", "/etc/hostname").exit_code == 2


def test_git_says_which_files_there_are(workspace: Workspace) -> None:
    """What is ignored stays on this machine; what is not, is one `git add` away."""
    git = shutil.which("git")
    assert git
    root = workspace.root
    without = every(root)
    subprocess.run([git, "init", "-q", str(root)], check=True)
    assert every(root) == without
    (root / ".gitignore").write_text("build/\n*.log\n")
    for name in ("build/x", "a.log", "b.txt"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("x")
    assert set(every(root)) - set(without) == {".gitignore", "b.txt"}
    shutil.rmtree(root / ".git")
    assert set(every(root)) - set(without) == {".gitignore", "a.log", "b.txt"}


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_secret_that_an_app_would_bring_is_found_by_validate(
    cluster: str, workspace: Workspace, fleet: Fleet
) -> None:
    shutil.copytree(fleets.ROOT / "clusters" / cluster, workspace.clusters / cluster)
    path = workspace.clusters / cluster / "generated" / "manifests" / "gpu-inference" / "secret-x.yaml"
    path.write_text("apiVersion: v1\nkind: Secret\nmetadata: {name: x, namespace: gpu-inference}\ndata: {a: Yg==}\n")
    result = fleet("validate")
    assert result.exit_code == 1
    shown = path.relative_to(workspace.root)
    assert f"{shown}:4:1: Secret/x: data: is a Secret with its data, in git for ever" in result.stderr
