"""The commands as a person uses them: what they print where, their exit codes, what they leave on disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from generators.source.workspace import Workspace
from tests import fleets
from tests.tool_needed import needed

Fleet = Callable[..., Result]


@pytest.fixture
def demo(workspace: Workspace, fleet: Fleet) -> Path:
    """A rendered cluster named demo."""
    folder = fleets.add(workspace, "demo", fleets.text().replace("prod-tokyo", "demo"))
    assert fleet("render", "demo").exit_code == 0
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_new_makes_a_complete_and_valid_cluster(workspace: Workspace, fleet: Fleet) -> None:
    needed("kustomize")
    result = fleet("new", "demo")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    assert "clusters/demo/ is complete and valid. Next:" in result.stderr
    rooms = {path.name for path in (workspace.clusters / "demo" / "generated").iterdir()}
    assert rooms == {"README.md", "argocd", "manifests", "overlays", "terraform", "values"}
    assert fleet("render", "--check").exit_code == 0
    assert fleet("validate", "--strict").exit_code == 0


def test_new_takes_the_next_free_block_and_the_regions_zones(workspace: Workspace, fleet: Fleet) -> None:
    fleets.add(workspace, "first", fleets.text().replace("prod-tokyo", "first").replace("10.20.0.0", "10.0.0.0"))
    assert fleet("new", "demo", "--region", "ca-central-1", "--account", "222233334444").exit_code == 0
    text = (workspace.clusters / "demo" / "cluster.yaml").read_text()
    assert "vpc_cidr: 10.1.0.0/16" in text
    assert "zones: [a, b, d]" in text
    assert 'region: ca-central-1\naccount: "222233334444"\n' in text


def test_new_like_another_keeps_its_comments_and_changes_what_is_its_own(workspace: Workspace, fleet: Fleet) -> None:
    fleets.add(workspace, "prod-tokyo", fleets.text())
    assert fleet("new", "prod-osaka", "--like", "prod-tokyo", "--region", "ap-northeast-3").exit_code == 0
    text = (workspace.clusters / "prod-osaka" / "cluster.yaml").read_text()
    assert "# kube-system lives here" in text
    assert "vpc_cidr: 10.0.0.0/16" in text
    assert "zones: [a, b, c]" in text
    assert "region: ap-northeast-3" in text
    assert "domain:" not in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("../x",), "`../x` is not a cluster name"),
        (("Demo",), "`Demo` is not a cluster name"),
        (("two--hyphens",), "`two--hyphens` is not a cluster name"),
        (("my-aws-cluster",), "`my-aws-cluster` is not a cluster name"),
        (("x" * 31,), "is not a cluster name"),
        (("okay", "--region", "mars-north-1"), "`mars-north-1` is not a region"),
        (("okay", "--account", "123"), "`123` is not an AWS account id"),
        (("okay", "--environment", "prod"), "`prod` is none of development, staging, production"),
        (("okay", "--like", "none"), "there is no cluster `none`"),
    ],
)
def test_new_refuses_what_it_cannot_make_and_leaves_nothing(
    workspace: Workspace, fleet: Fleet, arguments: tuple[str, ...], message: str
) -> None:
    before = tree(workspace.root)
    result = fleet("new", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert tree(workspace.root) == before


def test_new_does_not_touch_a_cluster_that_exists(demo: Path, fleet: Fleet) -> None:
    before = tree(demo)
    result = fleet("new", "demo")
    assert result.exit_code == 2
    assert "clusters/demo: exists already" in result.stderr
    assert "hint: `fleet render demo` renders it" in result.stderr
    assert tree(demo) == before


def test_render_writes_checks_and_lists(demo: Path, fleet: Fleet) -> None:
    path = demo / "generated" / "values" / "cluster-autoscaler.yaml"
    stale = demo / "generated" / "values" / "old.yaml"
    path.write_text(path.read_text().replace("v1.35.2", "v1.0.0"))
    stale.write_text("a: 1\n")
    (demo / "generated" / "argocd" / "root.yaml").unlink()
    check = fleet("render", "demo", "--check")
    assert check.exit_code == 1
    assert "-  tag: v1.0.0\n+  tag: v1.35.2\n" in check.stdout
    assert "+++ /dev/null" in check.stdout
    assert "mend them with: fleet render demo" in check.stderr
    dry = fleet("render", "--dry-run")
    assert dry.exit_code == 0
    assert dry.stdout.splitlines() == [
        "add    clusters/demo/generated/argocd/root.yaml",
        "change clusters/demo/generated/values/cluster-autoscaler.yaml",
        "remove clusters/demo/generated/values/old.yaml",
    ]
    assert stale.exists()
    assert fleet("render").exit_code == 0
    assert not stale.exists()
    assert fleet("render", "--check").stdout == ""
    counts = json.loads(fleet("render", "--output", "json").stdout)
    assert counts[0]["changed"] == counts[0]["added"] == counts[0]["stale"] == 0


def test_render_tells_of_every_broken_cluster_and_renders_the_others(workspace: Workspace, fleet: Fleet) -> None:
    for name in ("alpha", "beta", "gamma"):
        fleets.add(workspace, name, fleets.text().replace("prod-tokyo", name))
    for name in ("alpha", "gamma"):
        path = workspace.clusters / name / "cluster.yaml"
        path.write_text(path.read_text().replace("max: 400", "max: 4000"))
    result = fleet("render")
    assert result.exit_code == 2
    told = [line for line in result.stderr.splitlines() if line.startswith("error")]
    assert [line.split("/")[1] for line in told] == ["alpha", "gamma"]
    assert not (workspace.clusters / "alpha" / "generated").exists()
    assert (workspace.clusters / "beta" / "generated").exists()


@pytest.mark.parametrize("name", ["../x", "nothing", "demo/../demo"])
@pytest.mark.parametrize("command", ["render", "validate", "show"])
def test_names_that_are_no_cluster_are_refused(demo: Path, fleet: Fleet, command: str, name: str) -> None:
    result = fleet(command, name)
    assert result.exit_code == 2
    assert "error: clusters/" in result.stderr
    assert demo.exists()


def test_a_cluster_folder_that_is_a_link_is_refused(workspace: Workspace, fleet: Fleet, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "cluster.yaml").write_text(fleets.text().replace("prod-tokyo", "demo"))
    (workspace.clusters / "demo").symlink_to(outside)
    result = fleet("render")
    assert result.exit_code == 2
    assert "clusters/demo: is a symbolic link" in result.stderr
    assert [path.name for path in outside.iterdir()] == ["cluster.yaml"]


def test_set_changes_one_line_and_refuses_what_breaks_a_rule(demo: Path, fleet: Fleet) -> None:
    path = demo / "cluster.yaml"
    before = path.read_text()
    assert fleet("set", "demo", "node_groups.workers.max", "300").exit_code == 0
    assert path.read_text() == before.replace("max: 400", "max: 300")
    assert fleet("set", "demo", "kubernetes", "1.36").exit_code == 0
    assert 'kubernetes: "1.36"' in path.read_text()
    after = path.read_text()
    result = fleet("set", "demo", "node_groups.workers.max", "4000")
    assert result.exit_code == 2
    assert "node_groups.workers.max: 4000 is more than 450, the limit" in result.stderr
    assert path.read_text() == after
    assert "already" in fleet("set", "demo", "kubernetes", "1.36").stderr


def test_delete_wants_the_name_twice(demo: Path, fleet: Fleet) -> None:
    for arguments in ((), ("--confirm", "demos")):
        result = fleet("delete", "demo", *arguments)
        assert result.exit_code == 2
        assert "clusters/demo: is not removed" in result.stderr
        assert demo.exists()
    assert fleet("delete", "demo", "--confirm", "demo").exit_code == 0
    assert not demo.exists()
    assert list(demo.parent.glob(".*")) == []


def test_list_and_show_give_text_to_people_and_json_to_machines(demo: Path, fleet: Fleet) -> None:
    assert "prod" in fleet("list").stdout
    (row,) = json.loads(fleet("list", "--output", "json").stdout)
    assert (row["cluster"], row["nodes"], row["problems"]) == ("demo", 555, 0)
    assert fleet("show", "demo", "derived.cluster_dns").stdout == "172.20.0.10\n"
    facts = json.loads(fleet("show", "demo", "--output", "json").stdout)
    assert facts["git"]["revision"] == "main"
    wrong = fleet("show", "demo", "derived.cluster_dsn")
    assert wrong.exit_code == 2
    assert "hint: did you mean `cluster_dns`?" in wrong.stderr
    (demo / "cluster.yaml").write_text("name: demo\n")
    assert json.loads(fleet("list", "-o", "json").stdout)[0]["problems"] > 0


def test_validate_finds_values_that_a_chart_does_not_have(demo: Path, fleet: Fleet) -> None:
    (demo / "values").mkdir()
    (demo / "values" / "cluster-autoscaler.yaml").write_text("replicaCuont: 3\nimage:\n  tag: [1]\n")
    assert fleet("render").exit_code == 0
    result = fleet("validate")
    assert result.exit_code == 1
    assert (
        "clusters/demo/values/cluster-autoscaler.yaml:1:15: replicaCuont: cluster-autoscaler 9.59.0 has no"
        in result.stderr
    )
    assert "hint: did you mean `replicaCount`?" in result.stderr
    assert ":3:3: image.tag: cluster-autoscaler takes string here, not `[1]`" in result.stderr


def test_validate_finds_files_that_are_not_what_the_sources_say(demo: Path, fleet: Fleet) -> None:
    path = demo / "generated" / "argocd" / "root.yaml"
    path.write_text(path.read_text().replace("main", "mine"))
    result = fleet("validate")
    assert result.exit_code == 1
    assert "clusters/demo/generated/argocd/root.yaml:14:1: is not what the sources say" in result.stderr
    assert "hint: run `fleet render demo`" in result.stderr


def test_validate_finds_an_override_of_nothing(demo: Path, fleet: Fleet) -> None:
    (demo / "values").mkdir()
    (demo / "values" / "coredns.yaml").write_text("a: 1\n")
    result = fleet("validate")
    assert result.exit_code == 2
    assert "clusters/demo/values/coredns.yaml: overrides nothing" in result.stderr


def test_validate_finds_vpcs_that_overlap(workspace: Workspace, fleet: Fleet) -> None:
    for name, block in (
        ("wide", "10.20.0.0/16"),
        ("inside", "10.20.16.0/20"),
        ("apart", "10.21.0.0/16"),
        ("deep", "10.20.32.0/20"),
    ):
        fleets.add(workspace, name, fleets.text().replace("prod-tokyo", name).replace("10.20.0.0/16", block))
    assert fleet("render").exit_code == 0
    result = fleet("validate")
    assert result.exit_code == 1
    told = [line for line in result.stderr.splitlines() if "overlaps" in line]
    assert [line.split("/")[1] for line in told] == ["deep", "inside"]


def test_validate_without_kustomize_names_what_it_left_out(demo: Path, tmp_path: Path) -> None:
    environment = {"FLEET_ROOT": str(demo.parent.parent), "PATH": "/nowhere", "XDG_CACHE_HOME": str(tmp_path / "none")}
    command = [str(Path(sys.executable).parent / "fleet"), "validate"]
    plain = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert plain.returncode == 0, plain.stderr
    assert "warning: clusters/demo/generated/overlays/coredns: not built" in plain.stderr
    assert "make tools" in plain.stderr
    strict = subprocess.run([*command, "--strict"], env=environment, capture_output=True, text=True, check=False)
    assert strict.returncode == 1


def test_outside_of_a_checkout_the_error_says_so(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "FLEET_ROOT"}
    command = [str(Path(sys.executable).parent / "fleet"), "list"]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "no clusters/defaults.yaml here or in a folder above" in result.stderr


def test_help_names_every_command(fleet: Fleet) -> None:
    text = fleet("--help").output
    for command in ("new", "render", "validate", "list", "show", "set", "delete", "schema", "--install-completion"):
        assert command in text


def test_many_clusters_are_rendered_by_several_processes_with_plain_progress(
    workspace: Workspace, fleet: Fleet
) -> None:
    fleets.many(workspace, 120)
    result = fleet("render", "--all")
    assert result.exit_code == 0
    assert "rendering: 100 of 120" in result.stderr
    assert "120 clusters" in result.stderr


@pytest.mark.parametrize("pipe", ["| head -n 1 >/dev/null", ">&-"])
def test_a_reader_that_goes_away_is_no_error(demo: Path, pipe: str) -> None:
    command = (
        f"set -o pipefail; for i in 1 2 3; do {Path(sys.executable).parent}/fleet show demo {pipe} || exit 9; done"
    )
    environment = {**os.environ, "FLEET_ROOT": str(demo.parent.parent)}
    result = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_what_a_killed_render_left_is_put_right_by_the_next_call(demo: Path, fleet: Fleet) -> None:
    before = tree(demo)
    (demo / "generated").rename(demo / ".generated-old")
    (demo / ".generated-new").mkdir()
    assert fleet("render", "--check").exit_code == 0
    assert tree(demo) == before
    assert sorted(path.name for path in demo.iterdir()) == ["cluster.yaml", "generated"]


def test_set_refuses_a_file_with_other_line_ends_rather_than_change_them(demo: Path, fleet: Fleet) -> None:
    path = demo / "cluster.yaml"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    before = path.read_bytes()
    result = fleet("set", "demo", "node_groups.workers.max", "300")
    assert result.exit_code == 2
    assert "would be written otherwise than it stands" in result.stderr
    assert path.read_bytes() == before


@pytest.mark.parametrize("kind", ["fifo", "link", "dangling", "folder"])
def test_a_cluster_file_that_is_no_file_is_refused(
    workspace: Workspace, fleet: Fleet, tmp_path: Path, kind: str
) -> None:
    path = workspace.clusters / "demo" / "cluster.yaml"
    path.parent.mkdir()
    (tmp_path / "outside.yaml").write_text(fleets.text().replace("prod-tokyo", "demo"))
    make: dict[str, Callable[[], None]] = {
        "fifo": lambda: os.mkfifo(path),
        "link": lambda: path.symlink_to(tmp_path / "outside.yaml"),
        "dangling": lambda: path.symlink_to("/nowhere/at/all"),
        "folder": path.mkdir,
    }
    make[kind]()
    result = fleet("render", "demo")
    assert result.exit_code == 2
    assert "clusters/demo/cluster.yaml: is not a regular file" in result.stderr


def test_two_new_clusters_at_once_get_blocks_of_their_own(workspace: Workspace) -> None:
    command = [str(Path(sys.executable).parent / "fleet"), "new"]
    environment = {**os.environ, "FLEET_ROOT": str(workspace.root)}
    runs = [subprocess.Popen([*command, f"demo-{n}"], env=environment, stderr=subprocess.DEVNULL) for n in range(4)]
    assert [run.wait() for run in runs] == [0, 0, 0, 0]
    blocks = {
        (workspace.clusters / f"demo-{n}" / "cluster.yaml").read_text().split("vpc_cidr: ")[1].split()[0]
        for n in range(4)
    }
    assert len(blocks) == 4


def test_a_bug_is_told_as_one_and_not_as_a_traceback(demo: Path) -> None:
    code = (
        "import sys; sys.argv = ['fleet', 'list']; from generators.pipeline import show; "
        "show.brief = None; from generators.cli.main import main; main()"
    )
    environment = {**os.environ, "FLEET_ROOT": str(demo.parent.parent)}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 70
    assert "internal error: TypeError" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("option", ["--account", "--environment"])
def test_options_of_new_cannot_break_out_of_their_line(workspace: Workspace, fleet: Fleet, option: str) -> None:
    result = fleet("new", "demo", option, 'x"\nregion: "us-east-1')
    assert result.exit_code == 2
    assert f"{option}: " in result.stderr
    assert not (workspace.clusters / "demo").exists()


def test_new_like_in_a_region_with_fewer_zones_takes_those(workspace: Workspace, fleet: Fleet) -> None:
    fleets.add(workspace, "prod-tokyo", fleets.text())
    assert fleet("new", "west", "--like", "prod-tokyo", "--region", "us-west-1").exit_code == 0
    assert "zones: [a, c]" in (workspace.clusters / "west" / "cluster.yaml").read_text()


def test_new_tells_of_another_clusters_broken_block(workspace: Workspace, fleet: Fleet) -> None:
    fleets.add(workspace, "broken", fleets.text().replace("prod-tokyo", "broken").replace("10.20.0.0/16", "everywhere"))
    result = fleet("new", "demo")
    assert result.exit_code == 2
    line = fleets.text().partition("vpc_cidr")[0].count("\n") + 1
    assert f"clusters/broken/cluster.yaml:{line}:13: network.vpc_cidr: `everywhere` is not a block" in result.stderr


def test_set_below_an_empty_mapping(demo: Path, fleet: Fleet) -> None:
    assert fleet("set", "demo", "apps.cluster-autoscaler.scale_down_unneeded", "5m").exit_code == 0
    assert "scale_down_unneeded: 5m" in (demo / "cluster.yaml").read_text()
