"""The worker's Dockerfile and its workflow, read as text: no Docker runs here, so that they build is not proved."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
import yaml

from generators.model.labels import CUDA_SUFFIX
from tests.fleets import ROOT

WORKER = ROOT / "apps" / "gpu-inference" / "worker"
DOCKERFILE = (WORKER / "Dockerfile").read_text(encoding="utf-8")
INSTRUCTIONS = [line for line in DOCKERFILE.splitlines() if line and not line.startswith("#")]
WORKFLOW: dict[Any, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "worker-image.yaml").read_text())
JOB: dict[str, Any] = WORKFLOW["jobs"]["build"]
PROJECT = tomllib.loads((WORKER / "pyproject.toml").read_text())["project"]


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
    assert JOB["permissions"] == {"contents": "read", "id-token": "write"}
    assert "secrets." not in text
    assert "AWS_ACCESS_KEY" not in text.upper()
    assert JOB["if"] == "vars.WORKER_IMAGE_ROLE_ARN != ''"
    assert "pull_request_target" not in text


def test_the_workflow_builds_each_target_under_the_tag_that_clusters_use() -> None:
    matrix = JOB["strategy"]["matrix"]["include"]
    assert {each["target"]: each["suffix"] for each in matrix} == {"cpu": "", "cuda": CUDA_SUFFIX}
    assert {each["target"] for each in matrix} <= set(stages())
    build = JOB["steps"][-1]["with"]
    assert build["target"] == "${{ matrix.target }}"
    assert (ROOT / build["context"] / "Dockerfile").is_file()


def test_a_pull_request_neither_signs_in_nor_pushes() -> None:
    assert "github.event_name != 'pull_request'" in JOB["env"]["PUSH"]
    for step in JOB["steps"]:
        if "aws-actions/" in step.get("uses", ""):
            assert step["if"] == "env.PUSH == 'true'"
