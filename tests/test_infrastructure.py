"""`make plan`, `make apply` and the refusals of `make destroy`, with the real Terraform on a small root."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.adoption import alias
from tests import fleets
from tests.aws.server import serving
from tests.terraform import mirrors
from tests.tiny_root import ACCOUNT, REGION, SMALL, STATE_BUCKET, TinyRoot, plan_file, tiny_root
from tests.tool_needed import needed

SLOW = """
resource "terraform_data" "first" { input = "made" }
resource "terraform_data" "slow" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" { command = "touch started && exec sleep 600" }
}
"""
STUBBORN = """
resource "terraform_data" "goes" { input = "at once" }
resource "terraform_data" "stays" {
  provisioner "local-exec" {
    when    = destroy
    command = "test -e let-go"
  }
}
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TinyRoot]:
    needed("terraform")
    with tiny_root(fleets.workspace(tmp_path_factory.mktemp("infrastructure") / "checkout")) as found:
        found.add("demo")
        yield found


@pytest.fixture
def fresh(root: TinyRoot) -> TinyRoot:
    """The cluster as at first: nothing applied, no plan saved."""
    s3 = root.client("s3")
    for each in s3.list_objects_v2(Bucket=STATE_BUCKET).get("Contents", ()):
        s3.delete_object(Bucket=STATE_BUCKET, Key=each["Key"])
    plan_file(root, "demo").unlink(missing_ok=True)
    root.write("main.tf", SMALL)
    root.set("demo", storage__database__instance_class="db.t4g.medium", storage__deletable="false")
    return root


def untouched(root: TinyRoot) -> bool:
    """Whether there is no state."""
    return "Contents" not in root.client("s3").list_objects_v2(Bucket=STATE_BUCKET)


def test_a_plan_is_applied_as_it_was_shown_and_only_once(fresh: TinyRoot) -> None:
    planned = fresh("infrastructure", "plan", "demo")
    assert planned.returncode == 0, planned.stderr
    assert "2 to add" in planned.stdout
    assert untouched(fresh)
    applied = fresh("infrastructure", "apply", "demo")
    assert applied.returncode == 0, applied.stderr
    assert "to add" not in applied.stdout, "it planned again"
    assert fresh.database("demo") == "db.t4g.medium"
    assert not plan_file(fresh, "demo").exists()
    again = fresh("infrastructure", "plan", "demo")
    assert (again.returncode, "nothing to do" in again.stderr) == (0, True)
    assert not plan_file(fresh, "demo").exists()


def test_others_cannot_read_the_plan_and_git_does_not_see_it(fresh: TinyRoot) -> None:
    assert fresh("infrastructure", "plan", "demo").returncode == 0
    file = plan_file(fresh, "demo")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    inside = file.relative_to(fresh.workspace.root)
    for path in (inside, inside.parents[3] / ".terraform.lock.hcl"):
        assert subprocess.run(["git", "check-ignore", "-q", path], cwd=fleets.ROOT, check=False).returncode == 0, path


def test_a_plan_of_other_files_is_not_applied(fresh: TinyRoot) -> None:
    assert fresh("infrastructure", "plan", "demo").returncode == 0
    fresh.set("demo", storage__database__instance_class="db.m7g.large")
    refused = fresh("infrastructure", "apply", "demo")
    assert refused.returncode == 2
    assert "no saved plan of these files" in refused.stderr
    assert untouched(fresh)
    assert fresh("infrastructure", "apply", "demo", "--yes").returncode == 0
    assert fresh.database("demo") == "db.m7g.large"


def test_a_plan_of_changed_terraform_is_not_applied(fresh: TinyRoot) -> None:
    assert fresh("infrastructure", "plan", "demo").returncode == 0
    fresh.write("main.tf", SMALL + 'resource "terraform_data" "more" {}\n')
    refused = fresh("infrastructure", "apply", "demo")
    assert refused.returncode == 2
    assert "no saved plan of these files" in refused.stderr


def test_a_plan_that_the_state_has_overtaken_is_refused_and_gone(fresh: TinyRoot) -> None:
    assert fresh("infrastructure", "plan", "demo").returncode == 0
    file = plan_file(fresh, "demo")
    files = {path: path.read_bytes() for path in (file, file.with_name("saved.json"))}
    assert fresh("infrastructure", "apply", "demo").returncode == 0
    for path, content in files.items():  # as on the machine of a colleague, who planned at the same time
        path.write_bytes(content)
    refused = fresh("infrastructure", "apply", "demo")
    assert refused.returncode == 2
    assert "Saved plan is stale" in refused.stderr
    assert "make plan NAME=demo" in refused.stderr
    assert not file.exists()


def test_a_drift_check_exits_as_checks_do(fresh: TinyRoot) -> None:
    differs = fresh("infrastructure", "plan", "demo", "--check")
    assert differs.returncode == 1, differs.stderr
    assert not plan_file(fresh, "demo").exists()
    assert fresh("infrastructure", "apply", "demo", "--yes").returncode == 0
    assert fresh("infrastructure", "plan", "demo", "--check").returncode == 0
    fresh.write("main.tf", "nonsense")
    broken = fresh("infrastructure", "plan", "demo", "--check")
    assert broken.returncode == 2, "a failure is no drift"


@pytest.mark.parametrize(("answer", "code"), [("n", 1), ("y", 0)])
def test_on_a_terminal_it_asks(fresh: TinyRoot, answer: str, code: int) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, f"{answer}\n".encode())
    command = [sys.executable, "-m", "scripts.infrastructure", "apply", "demo"]
    done = subprocess.run(
        command, env=fresh.env, cwd=fresh.workspace.root, stdin=theirs, capture_output=True, check=False
    )
    os.close(ours)
    os.close(theirs)
    assert done.returncode == code, done.stderr
    assert b"2 to add" in done.stdout
    assert untouched(fresh) == (answer == "n")


def test_interrupted_terraform_stops_in_order(fresh: TinyRoot) -> None:
    fresh.write("main.tf", SLOW)
    command = [sys.executable, "-m", "scripts.infrastructure", "apply", "demo", "--yes"]
    alone: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    with subprocess.Popen(command, env=fresh.env, cwd=fresh.workspace.root, **alone) as running:
        while not (fresh.folder / "started").exists():
            assert running.poll() is None
            time.sleep(0.05)
        # As a terminal does it at Ctrl-C: to all of the group.
        os.killpg(running.pid, signal.SIGINT)
        out, err = running.communicate()
    (fresh.folder / "started").unlink()
    assert running.returncode == 130, err
    assert "Stopping operation" in out + err
    assert "Two interrupts" not in out + err
    assert fresh.state("demo")["root.terraform_data.first"]["input"]["value"] == "made"
    keys = [each["Key"] for each in fresh.client("s3").list_objects_v2(Bucket=STATE_BUCKET)["Contents"]]
    assert not [key for key in keys if key.endswith(".tflock")]


def test_stale_files_are_refused(fresh: TinyRoot) -> None:
    file = fresh.workspace.clusters / "demo" / "generated" / "terraform" / "cluster.tfvars.json"
    file.write_text(file.read_text().replace("db.t4g.medium", "db.x2g.large"))
    for command in (["plan", "demo"], ["apply", "demo", "--yes"], ["destroy", "demo", "--confirm=demo"]):
        refused = fresh("infrastructure", *command)
        assert refused.returncode == 2
        assert "clusters/demo/generated: is not what cluster.yaml says, in 1 file" in refused.stderr
        assert "make render NAME=demo" in refused.stderr
    assert untouched(fresh)


def test_credentials_of_another_account_are_refused(fresh: TinyRoot) -> None:
    with serving("999999999999") as url:
        refused = fresh("infrastructure", "plan", "demo", AWS_ENDPOINT_URL=url)
    assert refused.returncode == 2
    assert f"account 999999999999, demo lives in {ACCOUNT}" in refused.stderr


def test_a_missing_bucket_is_told_with_the_way_to_it(fresh: TinyRoot) -> None:
    with serving(ACCOUNT) as url:
        refused = fresh("infrastructure", "plan", "demo", AWS_ENDPOINT_URL=url)
    assert refused.returncode == 2
    assert f"s3://{STATE_BUCKET}: does not exist" in refused.stderr
    assert "make state-bucket NAME=demo" in refused.stderr


def test_terraform_missing_or_too_old(fresh: TinyRoot, tmp_path: Path) -> None:
    # A stand-in that tells an old version: a real one would have to be fetched.
    empty = fresh("infrastructure", "plan", "demo", PATH=str(tmp_path), FLEET_TOOLS="")
    assert "Terraform 1.11 or newer" in empty.stderr
    old = tmp_path / "terraform"
    old.write_text("""#!/bin/sh\necho '{"terraform_version": "1.9.8"}'\n""")
    old.chmod(0o755)
    refused = fresh("infrastructure", "plan", "demo", FLEET_TOOLS=str(tmp_path))
    assert (empty.returncode, refused.returncode) == (2, 2)
    assert "is Terraform 1.9.8" in refused.stderr
    assert "Terraform 1.11 or newer" in refused.stderr


def test_the_real_root_keeps_its_state_locked_and_encrypted(tmp_path: Path) -> None:
    needed("terraform")
    if not next(mirrors(), None) and "CI" not in os.environ:
        pytest.skip("the AWS provider cannot be had offline: put it into a folder, and name that in TF_PLUGIN_MIRROR")
    with tiny_root(fleets.workspace(tmp_path / "checkout")) as real:
        real.add("demo")
        shutil.rmtree(real.folder.parent)
        ignored = shutil.ignore_patterns(".terraform*")
        shutil.copytree(fleets.ROOT / "terraform", real.folder.parent, ignore=ignored)
        done = real.python("from scripts.terraform import ready; print(ready('demo').read('state', 'pull'))")
        assert done.returncode == 0, done.stderr
        kept = json.loads((plan_file(real, "demo").parent / "terraform.tfstate").read_text())["backend"]["config"]
    assert (kept["bucket"], kept["key"], kept["region"]) == (STATE_BUCKET, "clusters/demo/terraform.tfstate", REGION)
    assert kept["encrypt"]
    assert kept["use_lockfile"]
    assert not kept["dynamodb_table"]


def test_an_unknown_cluster(root: TinyRoot) -> None:
    refused = root("infrastructure", "plan", "demmo")
    assert refused.returncode == 2
    assert "did you mean `demo`?" in refused.stderr


def test_a_bucket_of_another_cluster_is_not_taken_over(fresh: TinyRoot) -> None:
    bucket, s3 = f"demo-{ACCOUNT}-{REGION}", fresh.client("s3")
    fresh.make_bucket(bucket)
    untagged = fresh("infrastructure", "plan", "demo")
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "cluster", "Value": "third"}]})
    tagged = fresh("infrastructure", "plan", "demo")
    s3.delete_bucket(Bucket=bucket)
    assert (untagged.returncode, tagged.returncode) == (2, 2)
    assert f"s3://{bucket}: exists and has no tag `cluster`, so it is not taken over" in untagged.stderr
    assert "is tagged cluster=third" in tagged.stderr


def test_a_key_that_is_about_to_go_is_not_taken_over(fresh: TinyRoot) -> None:
    kms = fresh.client("kms")
    key = kms.create_key(Tags=[{"TagKey": "cluster", "TagValue": "demo"}])["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=alias("demo"), TargetKeyId=key)
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    refused = fresh("infrastructure", "plan", "demo")
    kms.delete_alias(AliasName=alias("demo"))
    assert refused.returncode == 2
    assert "the key that an earlier demo left is PendingDeletion" in refused.stderr
    assert "cancel-key-deletion" in refused.stderr


@pytest.mark.parametrize("confirm", ["", "other"])
def test_destroy_wants_the_name_twice(fresh: TinyRoot, confirm: str) -> None:
    assert fresh("infrastructure", "apply", "demo", "--yes").returncode == 0
    before = fresh.state("demo")
    refused = fresh("infrastructure", "destroy", "demo", "--confirm", confirm)
    assert refused.returncode == 2
    assert "CONFIRM=demo" in refused.stderr
    assert fresh.state("demo") == before


def test_destroy_refuses_a_cluster_whose_data_must_stay(fresh: TinyRoot) -> None:
    assert fresh("infrastructure", "apply", "demo", "--yes").returncode == 0
    before = fresh.state("demo")
    refused = fresh("infrastructure", "destroy", "demo", "--confirm=demo")
    assert refused.returncode == 2
    assert "clusters/demo/cluster.yaml: storage.deletable: is not true" in refused.stderr
    assert "fleet set demo storage.deletable true" in refused.stderr
    assert fresh.state("demo") == before


def test_destroy_goes_on_where_it_broke_off_and_names_what_is_left(fresh: TinyRoot) -> None:
    fresh.write("main.tf", STUBBORN)
    fresh.set("demo", storage__deletable="true")
    assert fresh("infrastructure", "apply", "demo", "--yes").returncode == 0
    volume = fresh.client("ec2").create_volume(
        AvailabilityZone="ap-northeast-1a",
        Size=1,
        TagSpecifications=[
            {"ResourceType": "volume", "Tags": [{"Key": "kubernetes.io/cluster/demo", "Value": "owned"}]}
        ],
    )["VolumeId"]
    shown = fresh("infrastructure", "destroy", "demo", "--dry-run")
    assert shown.stdout.splitlines() == ["would remove terraform_data.goes", "would remove terraform_data.stays"]
    assert len(fresh.state("demo")) == 2
    broken = fresh("infrastructure", "destroy", "demo", "--confirm=demo")
    assert broken.returncode == 2
    assert "goes on from here" in broken.stderr
    # It may be what holds Terraform up.
    assert f"arn:aws:ec2:ap-northeast-1:{ACCOUNT}:volume/{volume}" in broken.stdout.splitlines()
    assert "that Terraform does not hold" in broken.stderr
    assert list(fresh.state("demo")) == ["root.terraform_data.stays"]
    (fresh.folder / "let-go").touch()
    done = fresh("infrastructure", "destroy", "demo", "--confirm=demo")
    assert done.returncode == 1, "a volume is left"
    assert fresh.state("demo") == {}
    assert f"arn:aws:ec2:ap-northeast-1:{ACCOUNT}:volume/{volume}" in done.stdout.splitlines()
    fresh.client("ec2").delete_volume(VolumeId=volume)
    again = fresh("infrastructure", "destroy", "demo", "--confirm=demo")
    assert again.returncode == 0, again.stderr
    assert "demo is gone from AWS" in again.stderr
