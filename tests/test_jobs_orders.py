"""What `fleet jobs submit` makes of its options, before any cluster is asked; and what kubectl's words become."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import Result

from generators.batches import attempts, lines, live, look
from generators.cli import jobs_submit
from generators.errors import FleetError
from generators.model.apps import InferenceJob
from generators.pipeline import batches
from generators.pipeline import fleet as fleets_read
from generators.renderers import manifests
from generators.source.workspace import Workspace
from tests import fleets

Fleet = Callable[..., Result]
GIVEN = ("--input", "movies/new/", "--output", "results/backlog/new/", "--model", "models/resnet50/1/model.onnx")
MORE = ("--node-group", "gpu-a10g", "--shards", "50", "--parallelism", "20", "--deadline-hours", "3",
        "--failed-percentage", "5", "--enough-percentage", "90", "--gpu-memory-mib", "4000")  # fmt: skip
SUBMIT = fleets.text()[fleets.text().index("    # What is tried without") :]
WARM = "    warm_models: true\n"
TEXT = fleets.text().removesuffix(SUBMIT).replace(WARM, "")
"""The committed file without prefixes for submitted batches, its batches last; and without models on the nodes, which
batches in git alone read there."""
IN_FILE = """\
      new:
        input: movies/new/
        output: results/backlog/new/
        model: models/resnet50/1/model.onnx
        node_group: gpu-a10g
        shards: 50
        parallelism: 20
        deadline_hours: 3
        failed_percentage: 5
        enough_percentage: 90
        gpu_memory_mib: 4000
"""


@pytest.fixture
def prod(workspace: Workspace) -> Path:
    """A checkout with prod-tokyo alone, rendered; its folder."""
    folder = fleets.add(workspace, "prod-tokyo", TEXT)
    from generators.pipeline.render import render_cluster

    assert not render_cluster(fleets_read.read(workspace), "prod-tokyo", "write").problems
    return folder


def printed(fleet: Fleet, *arguments: str) -> dict[str, Any]:
    done = fleet("jobs", "submit", "prod-tokyo", *arguments, "--yaml")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = yaml.safe_load(done.stdout)
    return found


def in_git(workspace: Workspace, batch: str) -> dict[str, Any]:
    """The Job that the cluster file makes of a batch."""
    [found] = [
        each
        for path, each in manifests.render(fleets_read.read(workspace).load("prod-tokyo")).items()
        if path.startswith(f"manifests/gpu-inference/job-{batch}-") and isinstance(each, dict)
    ]
    return found


def test_a_submitted_job_is_the_one_in_git_but_for_name_and_ttl(fleet: Fleet, workspace: Workspace, prod: Path) -> None:
    job = printed(fleet, *GIVEN, *MORE, "--ttl-hours", "3")
    assert job["metadata"]["name"].startswith("new-")
    assert job["spec"].pop("ttlSecondsAfterFinished") == 3 * 3600
    (prod / "cluster.yaml").write_text(TEXT + IN_FILE)
    same = in_git(workspace, "new")
    assert job["spec"] == same["spec"]
    labels = {**same["metadata"]["labels"], "app.kubernetes.io/managed-by": "fleet"}
    assert job["metadata"]["labels"] == labels
    assert "annotations" not in same["metadata"]


def test_models_on_the_nodes_are_for_batches_in_git(fleet: Fleet, workspace: Workspace, prod: Path) -> None:
    (prod / "cluster.yaml").write_text(TEXT.replace("    jobs:\n", f"{WARM}    jobs:\n") + IN_FILE)
    git, submitted = in_git(workspace, "new")["spec"], printed(fleet, "--from", "new")["spec"]
    claims = [
        [each for each in spec["template"]["spec"]["volumes"] if "persistentVolumeClaim" in each]
        for spec in (git, submitted)
    ]
    assert (len(claims[0]), claims[1]) == (1, [])
    assert "initContainers" in git["template"]["spec"]
    assert "initContainers" not in submitted["template"]["spec"]


@pytest.mark.usefixtures("prod")
def test_a_job_in_git_never_has_a_ttl(workspace: Workspace) -> None:
    tree = manifests.render(fleets_read.read(workspace).load("prod-tokyo"))
    specs = [each for path, each in tree.items() if "/job-" in path or "/cronjob-" in path]
    assert len(specs) == 2
    assert "ttlSecondsAfterFinished" not in yaml.safe_dump(specs)


def test_defaults_are_those_of_the_file(fleet: Fleet, workspace: Workspace, prod: Path) -> None:
    job = printed(fleet, *GIVEN, "--node-group", "gpu-a10g")
    few = IN_FILE.splitlines(keepends=True)[:5]
    (prod / "cluster.yaml").write_text(TEXT + "".join(few))
    spec = in_git(workspace, "new")["spec"]
    assert {**job["spec"], "ttlSecondsAfterFinished": 0} == {**spec, "ttlSecondsAfterFinished": 0}


@pytest.mark.usefixtures("prod")
def test_from_a_batch_of_the_file_another_is_made(fleet: Fleet) -> None:
    job = printed(fleet, "--from", "nightly", "--shards", "7")
    assert (job["kind"], job["spec"]["completions"], job["spec"]["activeDeadlineSeconds"]) == ("Job", 7, 20 * 3600)
    assert job["metadata"]["labels"]["inference-fleet/job"] == "nightly"
    assert job["metadata"]["name"].startswith("nightly-")


def test_each_key_of_a_batch_is_an_option() -> None:
    given = inspect.signature(jobs_submit.submit).parameters
    assert {name.rstrip("_") for name in given} >= set(InferenceJob.model_fields)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), ["--input: is missing", "--output: is missing", "--model: is missing",
              "--node-group: is missing\nhint: GPU node groups here: gpu-t4, gpu-a10g"]),
        ((*GIVEN, "--node-group", "gpu-a10g", "--shards", "many", "--deadline-hours", "999"),
         ["--shards: must be a whole number, not a text (`many`)", "--deadline-hours: 999 is more than 336"]),
        ((*GIVEN, "--node-group", "gpu-a10", "--output", "private/", "--name", "nightly"),
         ["--node-group: no GPU node group `gpu-a10`\nhint: did you mean `gpu-a10g`?", "--output: `private/` is not",
          "--name: `nightly` is a batch of"]),
        ((*GIVEN, *MORE, "--parallelism", "41"),
         ["--parallelism: 41 is more than node_groups.gpu-a10g can hold at once, 40\nhint: leave it out"]),
        ((*GIVEN, *MORE, "--gpu-memory-mib", "99999"), ["--gpu-memory-mib: 99999 is more than a GPU or slice of"]),
        ((*GIVEN, *MORE, "--fallback", "gpu-t4"), ["--fallback: node_groups.gpu-t4.gpu is not that of"]),
        ((*GIVEN, *MORE, "--output", "movies/out/"),
         ["--output: `movies/out/` and apps.gpu-inference.jobs.backlog.input `movies/` overlap"]),
        ((*GIVEN, *MORE, "--output", "results/y/", "--input", "results/"),
         ["jobs.backlog.output: `results/backlog/` and --input `results/` overlap"]),
        ((*GIVEN, *MORE, "--output", "results/mine/"),
         ["--output: `results/mine/` is not below results/backlog/ or results/nightly/, and workers reach nothing else",
          "hint: add it to apps.gpu-inference.submit.outputs, render and apply; or --write"]),
        ((*GIVEN, *MORE, "--input", "private/"), ["--input: `private/` is not below movies/"]),
        ((*GIVEN, *MORE, "--schedule", "0 3 * * *", "--suspend"),
         ["--schedule: is for batches in git\nhint: with --write", "--suspend: is for batches in git"]),
        ((*GIVEN, *MORE, "--name", "Backlog"), ["--name: `Backlog` is not a name"]),
        ((*GIVEN, *MORE, "--name", "backlog"), ["--name: `backlog` is a batch of clusters/prod-tokyo"]),
        (("--from", "nightli"), ["--from: no batch `nightli`", "did you mean `nightly`?"]),
        ((*GIVEN, *MORE, "--write"), ["--yaml and --write do not go together"]),
        ((*GIVEN, *MORE, "--dry-run"), ["--yaml and --dry-run do not go together"]),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("prod")
def test_mistakes_name_the_option_all_at_once(fleet: Fleet, arguments: tuple[str, ...], words: list[str]) -> None:
    done = fleet("jobs", "submit", "prod-tokyo", *arguments, "--yaml")
    assert done.exit_code == 2
    assert done.stdout == ""
    assert [each for each in words if each not in done.stderr] == [], done.stderr


def test_prefixes_that_the_file_gives_to_submitted_batches_are_theirs(fleet: Fleet, prod: Path) -> None:
    file = prod / "cluster.yaml"
    file.write_text(TEXT + "    submit:\n      inputs: [incoming/]\n      outputs: [results/mine/]\n")
    job = printed(fleet, *GIVEN, *MORE, "--input", "incoming/a/", "--output", "results/mine/a/")
    env = {each["name"]: each.get("value") for each in job["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert (env["INFERENCE_INPUT"], env["INFERENCE_OUTPUT"]) == ("incoming/a/", "results/mine/a/")


def test_the_only_gpu_group_need_not_be_named(fleet: Fleet, workspace: Workspace) -> None:
    fleets.add(workspace, "dev-tokyo", fleets.text("dev-tokyo"))
    done = fleet("jobs", "submit", "dev-tokyo", "--input", "movies/smoke/", "--output", "results/smoke/2/",
                 "--model", "models/resnet50/1/model.onnx", "--yaml")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "inference-fleet/node-group: gpu-a10g" in done.stdout


def test_write_adds_it_to_the_file_and_renders(fleet: Fleet, prod: Path) -> None:
    before = (prod / "cluster.yaml").read_text()
    dry = fleet("jobs", "submit", "prod-tokyo", *GIVEN, *MORE, "--write", "--dry-run")
    assert dry.exit_code == 0, dry.output
    assert "+      new:" in dry.stdout
    assert (prod / "cluster.yaml").read_text() == before
    done = fleet("jobs", "submit", "prod-tokyo", *GIVEN, *MORE, "--write")
    assert done.exit_code == 0, done.output
    after = (prod / "cluster.yaml").read_text()
    assert after.startswith(before)
    assert yaml.safe_load(after)["apps"]["gpu-inference"]["jobs"]["new"] == yaml.safe_load(IN_FILE)["new"]
    [made] = (prod / "generated" / "manifests" / "gpu-inference").glob("job-new-*.yaml")
    assert "ttlSecondsAfterFinished" not in made.read_text()
    assert "make plan apply" not in done.stderr
    assert fleet("render", "--check", "prod-tokyo").exit_code == 0
    again = fleet("jobs", "submit", "prod-tokyo", *GIVEN, *MORE, "--write")
    assert again.exit_code == 2
    assert (prod / "cluster.yaml").read_text() == after


def test_write_takes_a_schedule_and_may_reach_new_prefixes(fleet: Fleet, prod: Path) -> None:
    words = (*GIVEN, *MORE, "--output", "results/mine/", "--schedule", "0 3 * * *", "--time-zone", "Asia/Tokyo")
    done = fleet("jobs", "submit", "prod-tokyo", *words, "--name", "early", "--write")
    assert done.exit_code == 0, done.output
    assert (prod / "generated" / "manifests" / "gpu-inference" / "cronjob-early.yaml").is_file()
    assert "before the merge `make plan apply NAME=prod-tokyo`" in done.stderr
    assert "results/mine/*" in (prod / "generated" / "terraform" / "cluster.tfvars.json").read_text()


def test_a_mistake_writes_nothing(fleet: Fleet, prod: Path) -> None:
    before = {path: path.read_bytes() for path in prod.rglob("*") if path.is_file()}
    done = fleet("jobs", "submit", "prod-tokyo", *GIVEN, *MORE, "--parallelism", "999", "--write")
    assert done.exit_code == 2
    assert "--parallelism: 999 is more than" in done.stderr
    assert {path: path.read_bytes() for path in prod.rglob("*") if path.is_file()} == before


def test_a_cluster_without_batches_is_told(fleet: Fleet, workspace: Workspace) -> None:
    text = fleets.text()
    fleets.add(workspace, "prod-tokyo", text[: text.index("  gpu-inference:\n")])
    done = fleet("jobs", "submit", "prod-tokyo", *GIVEN, "--yaml")
    assert done.exit_code == 2
    assert "apps: does not run batches\nhint: add `gpu-inference: {}`" in done.stderr


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("The connection to the server localhost:8080 was refused - did you specify the right host or port?",
         "--kubeconfig: there is no kubeconfig, or no context in it"),
        ('Error from server (Forbidden): jobs.batch is forbidden: User "ada" cannot create resource "jobs" in API '
         'group "batch" in the namespace "gpu-inference"', "prod-tokyo: kubectl: `ada` may not create jobs here"),
        ("error: You must be logged in to the server (Unauthorized)", "refuses these credentials\nhint: sign in"),
        ("Unable to connect to the server: dial tcp 10.0.0.1:443: i/o timeout", "the API server cannot be reached"),
        ("error: something new", "kubectl: something new"),
    ],
)  # fmt: skip
def test_what_kubectl_refuses_is_told_in_one_line_with_a_hint(said: str, words: str) -> None:
    error = live.told(said, "prod-tokyo")
    assert words in str(error)
    assert len(error.problems) == 1
    assert error.problems[0].hint


def test_without_kubectl_it_says_how_to_get_it(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEET_ROOT", str(fleets.ROOT))
    monkeypatch.setattr("generators.tools.binaries.find", lambda _: None)
    done = fleet("jobs", "status", "prod-tokyo")
    assert done.exit_code == 2
    assert "kubectl: is not installed\nhint: run `make control-plane`" in done.stderr


@pytest.mark.usefixtures("prod")
def test_the_name_of_a_job_is_its_own(workspace: Workspace) -> None:
    fields = {
        "input": "movies/",
        "output": "results/backlog/2026-Q3/",
        "model": "models/a.onnx",
        "node_group": "gpu-a10g",
    }
    batch = batches.checked(fleets_read.read(workspace), batches.Order("prod-tokyo", fields))
    assert batch.name == "q3"
    assert len({batch.job(1, {})["metadata"]["name"] for _ in range(20)}) == 20


@pytest.mark.usefixtures("prod")
def test_a_long_name_still_makes_host_names(workspace: Workspace) -> None:
    fields = {"input": "movies/", "output": "results/backlog/x/", "model": "models/a.onnx", "node_group": "gpu-a10g"}
    order = batches.Order("prod-tokyo", {**fields, "shards": 100_000}, "a" * 40)
    name = batches.checked(fleets_read.read(workspace), order).job(1, {})["metadata"]["name"]
    assert len(f"{name}-99999") <= 63


@pytest.mark.parametrize(("text", "number"), [("", 0), ("3", 1), ("1,3-5", 4), ("0-99999", 100_000)])
def test_shards_are_counted_in_ranges(text: str, number: int) -> None:
    assert look.count(text) == number


@pytest.mark.parametrize(("numbers", "text"), [([3], "shard 3"), ([5, 3, 4, 1], "shards 1,3-5"), ([2, 2], "shard 2")])
def test_shards_are_told_in_ranges(numbers: list[int], text: str) -> None:
    assert attempts.ranges(numbers) == text


def test_metrics_and_traces_are_readable() -> None:
    metrics = (
        '{"_aws": {"Timestamp": 1763978400000, "CloudWatchMetrics": [{"Dimensions": [["Run"]], "Metrics": []}]}, '
        '"Run": "r", "Frames": 12, "Seconds": 60.5}'
    )
    assert list(lines.readable(metrics)) == ["11-24 10:00:00 metrics Frames=12 Seconds=60.5"]
    broken = '{"time": "2026-11-24T10:00:00+00:00", "level": "error", "message": "KeyError", "trace": "a\\n  b"}'
    assert list(lines.readable(broken)) == ["11-24 10:00:00 error   KeyError", "    a", "      b"]
    for plain in ("plain", "[1]", '{"no": "message"}', ""):
        assert list(lines.readable(plain)) == [plain]


def test_what_cannot_be_given_to_submitted_batches(workspace: Workspace) -> None:
    text = TEXT + "    submit:\n      inputs: [results/backlog/]\n      outputs: [movies/out/]\n      roles: [OnCall]\n"
    fleets.add(workspace, "prod-tokyo", text)
    with pytest.raises(FleetError) as caught:
        fleets_read.read(workspace).load("prod-tokyo")
    told = [each.message for each in caught.value.problems]
    assert "`OnCall` is in access.admins" in told
    assert "`results/backlog/` and apps.gpu-inference.jobs.backlog.output `results/backlog/` overlap" in told
    assert "`movies/out/` and apps.gpu-inference.jobs.nightly.input `movies/` overlap" in told
