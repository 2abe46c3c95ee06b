"""The AWS side without AWS: formatted, valid, planned for both committed clusters, fed by what is generated."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from scripts import ahead
from tests.aws_stand_in import stand_in
from tests.fleets import ROOT
from tests.terraform import CLUSTERS, Run, Terraform
from tests.tool_needed import needed

SOURCES = sorted(path for path in (ROOT / "terraform").rglob("*.tf") if ".terraform" not in path.parts)
FOLDERS = sorted({path.parent.relative_to(ROOT / "terraform").as_posix() for path in SOURCES})
MODULES = [folder for folder in FOLDERS if folder.startswith("modules/")]
BLOCK = re.compile(r'^(variable|output) "(\w+)" \{$(.*?)^\}$', re.MULTILINE | re.DOTALL)
EVERYTHING = re.compile(r'^\s*(?:(?:Action|Principal|Resource)\b.*)?"(?:[a-z0-9-]+:)?\*"')
"""A line of a policy that stands for all resources, principals or actions."""
LEFT_TO_DEFAULTS = {
    "identities.*.statements.Condition",
    "node_groups.*.mig.instances",
    "node_groups.*.mig.profile",
}
"""Attributes that a generated file may leave out; every other one is in both of them."""

PROVISIONED = {"cluster/bootstrap.tf", "cluster/hooks.tf"}
"""The files that may run a program: what no resource can do."""

PLANNED = "planned"
"""Folder of the copy of the root that is planned."""


@pytest.fixture(scope="module")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    return Terraform(needed("terraform"), tmp_path_factory.mktemp("terraform"))


def tfvars(cluster: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / Terraform.tfvars(cluster)).read_text(encoding="utf-8"))
    return found


def blocks(folder: str, kind: str) -> dict[str, str]:
    """Name to body of the variables or outputs of a folder."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "terraform" / folder).glob("*.tf"))
    return {name: body for found, name, body in BLOCK.findall(text) if found == kind}


def test_formatted(terraform: Terraform) -> None:
    done = terraform(".", "fmt", "-check", "-recursive", "-diff")
    assert done.returncode == 0, f"mend it with: terraform fmt -recursive terraform\n{done.stdout}"


@pytest.mark.parametrize("folder", FOLDERS)
def test_valid_and_tested(terraform: Terraform, folder: str) -> None:
    assert list((ROOT / "terraform" / folder / "tests").glob("*.tftest.hcl"))
    terraform.init(folder)
    for arguments in (("validate", "-no-color"), ("test", "-no-color")):
        with stand_in() as aws:
            done = terraform(folder, *arguments, endpoint=aws)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module", params=CLUSTERS)
def plan(request: pytest.FixtureRequest, terraform: Terraform) -> tuple[str, dict[str, Any]]:
    """A cluster's name, and the plan of its first apply."""
    planned = planning(terraform, request.param, account=tfvars(request.param)["account_id"])
    assert planned.returncode == 0, planned.stderr
    return request.param, json.loads(terraform(PLANNED, "show", "-json", "plan").stdout)


def planning(terraform: Terraform, cluster: str, account: str) -> Run:
    terraform.copy_root(PLANNED)
    arguments = ("-input=false", "-no-color", "-out=plan", f"-var-file={terraform.folder / terraform.tfvars(cluster)}")
    with stand_in(account) as aws:
        return terraform(PLANNED, "plan", *arguments, endpoint=aws)


def planned(plan: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Type and planned values of each resource."""
    return [(each["type"], each["change"]["after"]) for each in plan["resource_changes"]]


def test_the_plan_tags_all_that_can_be_tagged(plan: tuple[str, dict[str, Any]]) -> None:
    cluster, found = plan
    for kind, values in planned(found):
        if "tags_all" in values:
            assert tfvars(cluster)["tags"].items() <= values["tags_all"].items(), kind


def test_the_plan_makes_what_the_file_says(plan: tuple[str, dict[str, Any]]) -> None:
    cluster, found = plan
    said, resources = tfvars(cluster), planned(found)

    def values(kind: str, key: str) -> set[object]:
        return {each[key] for found, each in resources if found == kind}

    assert values("aws_eks_node_group", "node_group_name") == {each["name"] for each in said["node_groups"].values()}
    assert values("aws_iam_role", "name") >= set(said["identities"])
    assert values("aws_s3_bucket", "bucket") == {said["storage"]["bucket"]}
    assert values("aws_ecr_repository", "name") == {said["worker_repository"]}
    assert values("aws_db_instance", "identifier") == {said["storage"]["database"]["identifier"]}
    assert values("aws_secretsmanager_secret", "name") == {said["storage"]["database"]["secret"]}
    assert values("aws_cloudwatch_log_group", "name") >= set(said["monitoring"]["log_groups"])
    assert values("aws_sns_topic_subscription", "endpoint") == set(said["monitoring"]["alarm_emails"])
    assert values("aws_budgets_budget", "limit_amount") == {str(said["monitoring"]["budget_usd"])}
    let_in = {*said["access"]["admin_role_arns"], *said["access"]["submitter_role_arns"]}
    assert values("aws_eks_access_entry", "principal_arn") == let_in
    gateways = [kind for kind, _ in resources].count("aws_nat_gateway")
    assert gateways == (1 if said["network"]["nat"] == "single" else len(said["network"]["private_subnets"]))


def test_the_plan_has_what_is_looked_for_in_it(plan: tuple[str, dict[str, Any]]) -> None:
    assert {ahead.CLUSTER, ahead.HOOK} <= {each["address"] for each in plan[1]["resource_changes"]}


def test_the_plan_holds_no_password(plan: tuple[str, dict[str, Any]]) -> None:
    assert "random-password-of-the-stand-in" not in json.dumps(plan[1])


def test_credentials_of_another_account_plan_nothing(terraform: Terraform) -> None:
    done = planning(terraform, "dev-tokyo", account="999999999999")
    assert done.returncode == 1
    assert "AWS account ID not allowed: 999999999999" in done.stderr


def keys(value: object, at: str = "") -> set[str]:
    """Paths of all attributes. A name that people choose, such as a node group's, counts as `*`."""
    if isinstance(value, list):
        return set().union(*(keys(each, at) for each in value))
    if not isinstance(value, dict):
        return set()
    found = set()
    for key, each in value.items():
        step = "*" if at in {"node_groups", "identities"} else key
        path = f"{at}.{step}".removeprefix(".")
        found |= {path} | keys(each, path)
    return found


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_variables_are_the_keys_of_the_generated_file(terraform: Terraform, cluster: str) -> None:
    said = tfvars(cluster)
    # `adopt` is what scripts/adoption.py finds in AWS.
    assert set(blocks("cluster", "variable")) - {"adopt"} == set(said)
    # Terraform itself says what it understood: it drops what is not declared and adds what is and was left out.
    alone = terraform.root / f"variables-{cluster}"
    alone.mkdir()
    for declared in (terraform.root / "cluster").glob("variables*.tf"):
        shutil.copy(declared, alone)
    ask = "jsonencode({" + ", ".join(f"{name} = var.{name}" for name in said) + "})"
    file = terraform.folder / terraform.tfvars(cluster)
    done = terraform(alone.name, "console", f"-var-file={file}", stdin=ask)
    assert done.returncode == 0, done.stderr
    understood = keys(json.loads(json.loads(done.stdout)))
    assert keys(said) - understood == set(), "generated, but not declared"
    assert understood - keys(said) - LEFT_TO_DEFAULTS == set(), "declared, but not generated"


@pytest.mark.parametrize("folder", FOLDERS)
def test_variables_and_outputs_are_described(folder: str) -> None:
    for kind in ("variable", "output"):
        for name, body in blocks(folder, kind).items():
            assert re.search(r"^  description\s+= ", body, re.MULTILINE), f"{folder}: {kind} {name}"
    for name, body in blocks(folder, "variable").items():
        assert re.search(r"^  type\s+= (?!any$)", body, re.MULTILINE), f"{folder}: variable {name}"


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_validation_is_seen_to_refuse(folder: str) -> None:
    tests = "\n".join(path.read_text() for path in (ROOT / "terraform" / folder / "tests").glob("*.hcl"))
    refused = re.findall(r"\bvar\.(\w+)", " ".join(re.findall(r"expect_failures = \[(.*?)\]", tests, re.DOTALL)))
    for name, body in blocks(folder, "variable").items():
        assert refused.count(name) >= body.count("\n  validation {"), f"{folder}: variable {name}"


@pytest.mark.parametrize("folder", MODULES)
def test_modules_have_one_shape(folder: str) -> None:
    names = {path.name for path in (ROOT / "terraform" / folder).iterdir()}
    assert {"main.tf", "variables.tf", "outputs.tf", "versions.tf", "README.md", "tests"} <= names
    rows = re.findall(r"^\| `(\w+)` \|", (ROOT / "terraform" / folder / "README.md").read_text(), re.MULTILINE)
    assert rows == list(blocks(folder, "variable"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "terraform")))
def test_rules_of_every_file(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 200
    for before, line in zip(["", *lines], lines, strict=False):
        if EVERYTHING.search(line):
            assert before.lstrip().startswith("#"), f"{line.strip()}: say why in a comment above it"
    text = "\n".join(lines)
    assert set(re.findall(r'^provider "(\w+)"', text, re.MULTILINE)) <= {"aws"}
    assert set(re.findall(r'^\s+source\s+= "(.*)"', text, re.MULTILINE)) <= {
        "hashicorp/aws",
        *(f"../{module}" for module in MODULES),
    }
    assert "provisioner " not in text or path.relative_to(ROOT / "terraform").as_posix() in PROVISIONED
