"""The worker's Dockerfile and its workflow, read as text: no Docker runs here, so that they build is not proved."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

from generators.model.apps import GpuInferenceSettings
from generators.model.labels import CUDA_SUFFIX
from generators.source.workspace import Workspace
from tests.fleets import ROOT, committed

WORKER = ROOT / "apps" / "gpu-inference" / "worker"
DOCKERFILE = (WORKER / "Dockerfile").read_text(encoding="utf-8")
INSTRUCTIONS = [line for line in DOCKERFILE.splitlines() if line and not line.startswith("#")]
WORKFLOW: dict[Any, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "worker-image.yaml").read_text())
JOBS: dict[str, Any] = WORKFLOW["jobs"]
PROJECT = tomllib.loads((WORKER / "pyproject.toml").read_text())["project"]
CLUSTERS = Workspace(ROOT).names()
PUSHING = {
    "BatchCheckLayerAvailability",
    "BatchGetImage",
    "CompleteLayerUpload",
    "DescribeImages",
    "GetDownloadUrlForLayer",
    "InitiateLayerUpload",
    "PutImage",
    "UploadLayerPart",
}
"""What a push takes (ECR's user guide, "IAM permissions for pushing an image"), and the look before it."""


def stages() -> dict[str, str]:
    """What each stage is made from, by name."""
    found = [re.fullmatch(r"FROM (\S+) AS (\S+)", line) for line in INSTRUCTIONS if line.startswith("FROM")]
    assert all(found), "every stage has a name"
    return {match[2]: match[1] for match in found if match}


def test_each_stage_is_made_from_a_pinned_image_or_one_before() -> None:
    known: set[str] = set()
    for name, base in stages().items():
        assert base in known or re.search(r":\d+\.\d+", base), f"{name} from {base}"
        known.add(name)
    copied = re.findall(r"--from=(\S+)", DOCKERFILE)
    assert set(copied) <= set(stages())


@pytest.mark.parametrize("target", ["cpu", "cuda"])
def test_a_target_installs_its_extra_from_the_lock(target: str) -> None:
    build = DOCKERFILE.split(f"AS build-{target}\n")[1].split("\nFROM")[0]
    assert f"uv sync --locked --no-dev --no-editable --extra {target}" in build
    assert target in PROJECT["optional-dependencies"]
    assert f"COPY --from=build-{target} /opt/worker /opt/worker" in DOCKERFILE.split(f"AS {target}\n")[1]


def test_what_is_copied_is_there_and_not_ignored() -> None:
    allowed = (WORKER / ".dockerignore").read_text()
    for line in INSTRUCTIONS:
        if line.startswith("COPY ") and "--from" not in line:
            for name in line.split()[1:-1]:
                assert (WORKER / name).exists(), name
                assert f"!{name}" in allowed, name


def test_kfp_is_that_of_the_pipelines() -> None:
    pipelines = (ROOT / "apps" / "kubeflow-pipelines" / "pipelines" / "pyproject.toml").read_text()
    wanted = re.search(r'"kfp==([\d.]+)', pipelines)
    assert wanted
    assert set(re.findall(r"kfp==([\d.]+)", DOCKERFILE)) == {wanted[1]}
    assert DOCKERFILE.count("--no-deps kfp==") == 2


def test_it_runs_as_a_user_without_rights_what_jobs_run() -> None:
    last = DOCKERFILE.split("AS base\n")[1]
    assert "USER 1000:1000" in last
    assert "USER root" not in DOCKERFILE
    assert 'CMD ["python", "-m", "inference_worker", "run"]' in last


def test_the_workflow_holds_no_key_and_few_rights() -> None:
    text = yaml.safe_dump(WORKFLOW)
    assert WORKFLOW["permissions"] == {"contents": "read"}
    rights = {name: job["permissions"] for name, job in JOBS.items() if "permissions" in job}
    assert rights == {"push": {"contents": "read", "id-token": "write"}}
    assert "secrets." not in text
    assert "AWS_ACCESS_KEY" not in text.upper()
    assert "pull_request_target" not in text


def test_only_main_pushes_and_only_where_somebody_said_by_which_role() -> None:
    signing = {name for name, job in JOBS.items() for step in job["steps"] if "aws-actions/" in step.get("uses", "")}
    pushing = {name for name, job in JOBS.items() for step in job["steps"] if step.get("with", {}).get("push")}
    assert signing == pushing == {"push"}
    assert "clusters" in JOBS["push"]["needs"]
    assert JOBS["clusters"]["if"] == "github.ref == 'refs/heads/main' && vars.WORKER_IMAGE_ROLE != ''"


@pytest.mark.parametrize("job", ["build", "push"])
def test_each_target_is_built_and_alike(job: str) -> None:
    assert JOBS[job]["strategy"]["matrix"]["target"] == ["cpu", "cuda"]
    build = JOBS[job]["steps"][-1]["with"]
    assert build["target"] == "${{ matrix.target }}"
    assert (ROOT / build["context"] / "Dockerfile").is_file()
    assert build["provenance"] is False


def step(job: str, name: str) -> dict[str, Any]:
    """A step by its name."""
    found: dict[str, Any] = next(each for each in JOBS[job]["steps"] if each.get("name") == name)
    return found


def shell(script: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """As GitHub runs a step: bash that ends at the first error."""
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    environment = {"PATH": path, "HOME": str(folder), "GITHUB_OUTPUT": str(folder / "output"), **env}
    return subprocess.run(["bash", "-e", "-c", script], cwd=folder, env=environment, capture_output=True, text=True)


def test_the_clusters_are_those_of_the_repository() -> None:
    done = shell(JOBS["clusters"]["steps"][-1]["run"].replace('>> "$GITHUB_OUTPUT"', ""), ROOT)
    listed = json.loads(done.stdout.removeprefix("clusters="))
    assert [(each["cluster_name"], each["worker_repository"]) for each in listed] == [
        (name, f"{name}/inference-worker") for name in CLUSTERS
    ]


AWS = """#!/bin/sh
echo "$@" > asked
echo "$SAID"
exit $CODE
"""
"""Answers as AWS's command does."""


@pytest.mark.parametrize(
    ("said", "code", "suffix", "missing"),
    [
        ('{"imageDetails": []}', 0, "", False),
        (
            "An error occurred (ImageNotFoundException) when calling the DescribeImages operation",
            254,
            CUDA_SUFFIX,
            True,
        ),
        ("An error occurred (RepositoryNotFoundException) when calling it", 254, "", False),
        ("An error occurred (AccessDeniedException) when calling it", 254, "", None),
    ],
    ids=["there", "not there", "no repository yet", "no access"],
)
def test_a_tag_is_pushed_where_it_is_missing(
    tmp_path: Path, said: str, code: int, suffix: str, missing: bool | None
) -> None:
    (tmp_path / "apps" / "gpu-inference").mkdir(parents=True)
    (tmp_path / "apps" / "gpu-inference" / "worker").symlink_to(WORKER)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "aws").write_text(AWS)
    (tmp_path / "bin" / "aws").chmod(0o755)
    run = step("push", "look for it")["run"]
    done = shell(run, tmp_path, REPOSITORY="demo/inference-worker", SUFFIX=suffix, SAID=said, CODE=str(code))
    assert done.returncode == (missing is None), done.stdout + done.stderr
    told = (tmp_path / "output").read_text().splitlines()
    assert told == [f"tag={PROJECT['version']}{suffix}", *(["missing=true"] if missing else [])]
    assert (
        f"--repository-name demo/inference-worker --image-ids imageTag={PROJECT['version']}{suffix}"
        in (tmp_path / "asked").read_text()
    )


def test_the_suffix_is_that_of_the_generators() -> None:
    suffix = step("push", "look for it")["env"]["SUFFIX"]
    assert suffix == f"${{{{ matrix.target == 'cuda' && '{CUDA_SUFFIX}' || '' }}}}"


@pytest.mark.parametrize(
    ("changed", "version", "fine"),
    [
        ("inference_worker/batch.py", "0.1.0", False),
        ("Dockerfile", "0.1.0", False),
        ("inference_worker/batch.py", "0.1.1", True),
        ("README.md", "0.1.0", True),
    ],
)
def test_a_pull_request_that_changes_the_image_raises_its_version(
    tmp_path: Path, changed: str, version: str, fine: bool
) -> None:
    def git(*arguments: str) -> str:
        who = ("-c", "user.name=test", "-c", "user.email=test@example.com")
        done = subprocess.run(["git", *who, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    (tmp_path / "inference_worker").mkdir()
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "0.1.0"\n')
    for name in ("Dockerfile", "README.md", "inference_worker/batch.py"):
        (tmp_path / name).write_text("before\n")
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "before")
    base = git("rev-parse", "HEAD")
    (tmp_path / changed).write_text("after\n")
    (tmp_path / "pyproject.toml").write_text(f'[project]\nversion = "{version}"\n')
    git("commit", "-qam", "after")
    done = shell(step("version", "a changed image has a new version")["run"], tmp_path, BASE=base)
    assert done.returncode == (not fine), done.stdout + done.stderr
    assert ("raise it" in done.stdout) != fine


def test_all_that_goes_into_the_image_counts() -> None:
    """But for the README, which the package only names."""
    copied = {name for line in INSTRUCTIONS if re.match(r"COPY (?!--)", line) for name in line.split()[1:-1]}
    looked_at = set(
        re.findall(
            r"[\w./]+", step("version", "a changed image has a new version")["run"].split(" -- ")[1].split(")")[0]
        )
    )
    assert {name.rstrip("/") for name in copied} - {"README.md"} | {"Dockerfile", ".dockerignore"} == looked_at


def test_what_a_cluster_names_by_default_is_what_main_makes() -> None:
    assert GpuInferenceSettings().worker_version == PROJECT["version"]


@pytest.mark.parametrize("name", CLUSTERS)
def test_committed_clusters_name_a_version_that_was_made(name: str) -> None:
    """And name it themselves: a new worker reaches them by a change of their file, once its images are there."""
    said = committed().load(name).cluster.apps.gpu_inference
    assert said
    assert "worker_version" in said.model_fields_set
    assert tuple(map(int, said.worker_version.split("."))) <= tuple(map(int, PROJECT["version"].split(".")))


def test_the_documented_role_may_do_what_the_workflow_does() -> None:
    page = (ROOT / "docs" / "how-to" / "publish-the-worker.md").read_text(encoding="utf-8")
    trust, policy = map(json.loads, re.findall(r"```json\n(.*?)```", page, re.DOTALL))
    (who,) = trust["Statement"]
    assert who["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert {key.rpartition(":")[2]: value for key, value in who["Condition"]["StringEquals"].items()} == {
        "aud": "sts.amazonaws.com",
        "sub": "repo:OWNER/REPOSITORY:ref:refs/heads/main",
    }
    login, push = policy["Statement"]
    assert (login["Action"], login["Resource"]) == ("ecr:GetAuthorizationToken", "*")
    assert set(push["Action"]) == {f"ecr:{each}" for each in PUSHING}
    assert all(
        fnmatchcase(f"arn:aws:ecr:ap-northeast-1:ACCOUNT:repository/{name}/inference-worker", push["Resource"])
        for name in CLUSTERS
    )
