"""The way in, as the generators derive it: hosts, names, routes, and what is refused."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from generators.errors import FleetError
from generators.model import names
from generators.model.catalog import Inputs, Ui
from generators.model.routes import routes
from generators.pipeline import fleet
from generators.pipeline.new import Wanted, create
from generators.renderers import readme, tfvars
from generators.source.workspace import Workspace
from tests.fleets import add, text
from tests.pages import UIS, load


def access(inputs: Inputs) -> dict[str, Any]:
    facts: Any = tfvars.render(inputs)["terraform/cluster.tfvars.json"]
    found: dict[str, Any] = facts["access"]
    return found


def target_groups(inputs: Inputs) -> dict[str, str]:
    return {each.app: each.target_group for each in routes(inputs)}


def told(folder: Path, inside: str, name: str = "small") -> str:
    with pytest.raises(FleetError) as caught:
        load(folder, inside, name)
    return str(caught.value)


def test_each_app_with_pages_has_a_route(tmp_path: Path) -> None:
    found = access(load(tmp_path))["routes"]
    assert list(found) == ["argo-cd", "notes", "wiki"]
    without_names = [{key: value for key, value in each.items() if key != "target_group"} for each in found.values()]
    assert without_names == [
        {"host": "argocd.small.inference.example.com", "node_port": 30080, "health_path": "/healthz"},
        {"host": "notes.small.inference.example.com", "node_port": 30990, "health_path": "/healthz"},
        {"host": "wiki.small.inference.example.com", "node_port": 30991, "health_path": "/ready"},
    ]


def test_what_is_left_out_comes_from_the_defaults(tmp_path: Path) -> None:
    found = access(load(tmp_path / "shared"))
    assert found["domain"] == "small.inference.example.com"
    assert found["hosted_zone"] == "inference.example.com"
    assert (found["load_balancer"], found["client_cidrs"]) == ("public", ["0.0.0.0/0"])


def test_the_hosted_zone_of_the_fleet_may_be_a_name_above(tmp_path: Path) -> None:
    found = load(tmp_path, defaults="\nhosted_zone: example.com\n").cluster.access
    assert (found.domain, found.hosted_zone) == ("small.inference.example.com", "example.com")


def test_a_copy_of_a_cluster_takes_neither_its_domain_nor_its_zone(workspace: Workspace) -> None:
    content = text("dev-tokyo").replace("hosted_zone:", "domain: dev-tokyo.inference.example.com\n  hosted_zone:")
    add(workspace, "dev-tokyo", content)
    create(fleet.read(workspace), Wanted("twin", like="dev-tokyo"))
    found = fleet.read(workspace).load("twin").cluster.access
    assert (found.domain, found.hosted_zone) == ("twin.inference.example.com", "inference.example.com")


def test_a_cluster_without_a_load_balancer_has_no_routes(tmp_path: Path) -> None:
    inputs = load(tmp_path, "load_balancer: none")
    assert access(inputs)["routes"] == {}
    assert "notes.small" not in str(readme.render(inputs))


def test_the_readme_tells_where_the_pages_are(tmp_path: Path) -> None:
    page = str(readme.render(load(tmp_path))["README.md"])
    assert "| pages of notes | https://notes.small.inference.example.com |" in page
    assert "| pages of wiki | https://wiki.small.inference.example.com |" in page


@pytest.mark.parametrize("name", ["abc", "internal-movies", "abcdefghij-abcdefghij-abcdefgh"])
def test_names_fit_what_aws_takes(tmp_path: Path, name: str) -> None:
    inputs = load(tmp_path, name=name)
    made = [names.load_balancer(inputs.cluster), *target_groups(inputs).values()]
    for each in made:
        assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", each)
    assert not names.load_balancer(inputs.cluster).startswith("internal-")
    assert len(set(made)) == len(made)


def test_two_clusters_never_share_a_target_group(tmp_path: Path) -> None:
    """`a-b` with app `c`, and `a` with app `b-c`, read alike."""
    ui = Ui(host="x", node_port=30999)
    one, two = load(tmp_path / "one", name="fleet-two").cluster, load(tmp_path / "two", name="fleet").cluster
    assert names.target_group(one, "wiki", ui) != names.target_group(two, "two-wiki", ui)


def test_another_port_makes_another_target_group_and_nothing_else_does(tmp_path: Path) -> None:
    folder = count()

    def made(ui: str) -> str:
        return target_groups(load(tmp_path / str(next(folder)), uis={**UIS, "notes": ui}))["notes"]

    first = made("{host: notes, node_port: 30990}")
    assert made("{host: notebook, node_port: 30990, health_path: /up}") == first
    assert made("{host: notes, node_port: 30992}") != first


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        (
            "domain: movies.example.net",
            "access.domain: `movies.example.net` does not lie in the hosted zone `inference.example.com`\n"
            "hint: name in access.hosted_zone a public zone",
        ),
        ("domain: my-example.net, hosted_zone: example.net", "`my-example.net` does not lie in the hosted zone"),
        ("hosted_zone: http://example.net", "access.hosted_zone: `http://example.net` is not a domain name"),
        (
            f"domain: {'a' * 40}.{'b' * 20}.example.net, hosted_zone: example.net",
            "access.domain: has 73 characters; a certificate's name has 64 at most",
        ),
        ("load_balancer: private", "access.load_balancer: `private` is none of public, internal, none"),
        ("client_cidrs: []", "access.client_cidrs: must have at least 1 entry, not 0"),
        ("client_cidrs: [203.0.113.7]", "`203.0.113.7` has no prefix length"),
        ("client_cidrs: [10.0.0.0/8, 10.0.0.0/8]", "access.client_cidrs[1]: `10.0.0.0/8` is named twice"),
        (
            "load_balancer: none, client_cidrs: [10.0.0.0/8]",
            "access.client_cidrs: has no effect without a load balancer",
        ),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, inside: str, message: str) -> None:
    assert message in told(tmp_path, inside)


@pytest.mark.parametrize("domain", ["movies.example.net", "example.net", "a.b.example.net"])
def test_a_domain_lies_in_its_zone_or_is_the_zone(tmp_path: Path, domain: str) -> None:
    inputs = load(tmp_path, f"domain: {domain}, hosted_zone: example.net")
    assert [each.host for each in routes(inputs)] == [f"{host}.{domain}" for host in ("argocd", "notes", "wiki")]


def test_without_a_load_balancer_no_zone_is_needed(tmp_path: Path) -> None:
    assert routes(load(tmp_path, "domain: movies.example.net, load_balancer: none")) == []


@pytest.mark.parametrize(
    ("ui", "message"),
    [
        ("{host: notes, node_port: 30999}", "apps/wiki/app.yaml:8:12: ui.host: apps/notes/app.yaml has `notes` too"),
        ("{host: wiki, node_port: 30990}", "ui.node_port: apps/notes/app.yaml has `30990` too"),
    ],
)
def test_two_apps_cannot_have_one_host_or_one_port(tmp_path: Path, ui: str, message: str) -> None:
    with pytest.raises(FleetError) as caught:
        load(tmp_path, uis={**UIS, "wiki": ui})
    assert message in str(caught.value)
