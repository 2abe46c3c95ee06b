"""From an app's `ui` to the plan: the pages' hosts, their login, and the nodes that serve them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from generators.model.catalog import Inputs
from generators.output.text import texts
from generators.renderers import render
from tests.aws_stand_in import stand_in
from tests.pages import load
from tests.terraform import Run, Terraform
from tests.tool_needed import needed

Plan = dict[str, Any]
PUBLIC_ZONES = {"Z0PARENT": "example.com", "Z0FLEET": "inference.example.com"}


@pytest.fixture(scope="module")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    return Terraform(needed("terraform"), tmp_path_factory.mktemp("terraform"))


def plan(terraform: Terraform, inputs: Inputs, zones: dict[str, str]) -> Run:
    """The plan of a first apply; of AWS, tests/aws_stand_in.py answers what a plan asks, hosted zones included."""
    terraform.copy_root("way-in")
    file = terraform.folder / terraform.tfvars(inputs.cluster.name)
    file.parent.mkdir(parents=True, exist_ok=True)
    for path, text in texts(render(inputs), inputs.cluster.name).items():
        if path.startswith("terraform/"):
            (file.parent / Path(path).name).write_text(text, encoding="utf-8")
    with stand_in(inputs.cluster.account, zones) as aws:
        arguments = ("-input=false", "-no-color", "-out=plan", f"-var-file={file}")
        return terraform("way-in", "plan", *arguments, endpoint=aws)


def planned(terraform: Terraform, inputs: Inputs) -> Plan:
    done = plan(terraform, inputs, PUBLIC_ZONES)
    assert done.returncode == 0, done.stderr
    found: Plan = json.loads(terraform("way-in", "show", "-json", "plan").stdout)
    return found


def of(found: Plan, kind: str) -> dict[str, dict[str, Any]]:
    """Planned values of the load balancer's resources of a kind, by address without its module."""
    module = "module.ingress[0]."
    return {
        each["address"].removeprefix(module): each["change"]["after"]
        for each in found["resource_changes"]
        if each["type"] == kind and each["address"].startswith(module)
    }


@pytest.fixture(scope="module")
def public(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return planned(terraform, load(tmp_path_factory.mktemp("public") / "root", "client_cidrs: [203.0.113.0/24]"))


def test_each_page_has_a_rule_with_the_login_first(public: Plan) -> None:
    rules = of(public, "aws_lb_listener_rule").values()
    assert {(each["condition"][0]["host_header"][0]["values"][0], each["priority"]) for each in rules} == {
        ("argocd.small.inference.example.com", 30080),
        ("notes.small.inference.example.com", 30990),
        ("wiki.small.inference.example.com", 30991),
    }
    for each in rules:
        assert [action["type"] for action in each["action"]] == ["authenticate-cognito", "forward"]


def test_system_nodes_alone_serve_the_pages(public: Plan) -> None:
    assert set(of(public, "aws_autoscaling_attachment")) == {
        f'aws_autoscaling_attachment.this["{group}/{app}"]'
        for group in ("system", "spot")
        for app in ("argo-cd", "notes", "wiki")
    }


def test_the_names_lie_in_the_zone_of_the_file(public: Plan) -> None:
    records = of(public, "aws_route53_record").values()
    assert {each["zone_id"] for each in records} == {"Z0FLEET"}
    hosts = {f"{host}.small.inference.example.com" for host in ("argocd", "notes", "wiki")}
    assert {each["name"] for each in records if each.get("type") == "A"} == hosts


def test_the_load_balancer_is_on_the_internet_for_those_named(public: Plan) -> None:
    (balancer,) = of(public, "aws_lb").values()
    assert (balancer["name"], balancer["internal"]) == ("ui-small", False)
    rules = of(public, "aws_vpc_security_group_ingress_rule").values()
    assert {each["cidr_ipv4"] for each in rules if each["cidr_ipv4"]} == {"203.0.113.0/24"}


def test_everything_carries_the_clusters_tags(public: Plan) -> None:
    found = {kind: of(public, kind) for kind in ("aws_lb", "aws_lb_target_group", "aws_cognito_user_pool")}
    for each in [values for kind in found.values() for values in kind.values()]:
        assert each["tags_all"]["cluster"] == "small"


def test_an_internal_load_balancer_is_not_on_the_internet(terraform: Terraform, tmp_path: Path) -> None:
    (balancer,) = of(planned(terraform, load(tmp_path, "load_balancer: internal")), "aws_lb").values()
    assert balancer["internal"] is True


def test_without_a_load_balancer_nothing_of_it_is_made(terraform: Terraform, tmp_path: Path) -> None:
    found = planned(terraform, load(tmp_path, "load_balancer: none"))
    assert not [each["address"] for each in found["resource_changes"] if each["address"].startswith("module.ingress")]
    assert found["planned_values"]["outputs"]["urls"]["value"] == {}


def test_a_zone_that_the_account_does_not_hold_is_told_before_anything_is_made(
    terraform: Terraform, tmp_path: Path
) -> None:
    done = plan(terraform, load(tmp_path), {"Z0OTHER": "example.org"})
    assert done.returncode == 1
    assert "no matching Route 53 Hosted Zone found" in done.stderr
