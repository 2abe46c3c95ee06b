"""The dashboard that CloudWatch gets, and what Terraform makes alarms, logs and a budget of."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import _jsonnet
import pytest

from generators.errors import FleetError
from generators.model.catalog import Inputs
from generators.model.monitoring import RETENTION_DAYS, database_memory_gib
from generators.pipeline import fleet
from generators.pipeline.render import render_cluster
from generators.renderers import alarms, dashboard, render
from generators.source.workspace import Workspace
from tests import fleets

CLUSTERS = ["dev-tokyo", "prod-tokyo"]
SMALLEST = fleets.ROOT / "tests" / "golden" / "clusters" / "smallest" / "cluster.yaml"
MODULE = fleets.ROOT / "terraform" / "modules" / "monitoring"
KNOWN = json.loads((fleets.ROOT / "tests" / "cloudwatch_metrics.json").read_text())
SEARCH = re.compile(r"""SEARCH\('\{([^}]*)\} MetricName="(\w+)" (.*)', '\w+', \d+\)""")

Metric = tuple[str, frozenset[str], str]
"""Namespace, names of dimensions, name."""


@pytest.fixture(params=[*CLUSTERS, "smallest"])
def inputs(request: pytest.FixtureRequest, workspace: Workspace) -> Inputs:
    if request.param in CLUSTERS:
        return fleets.committed().load(request.param)
    fleets.add(workspace, "smallest", SMALLEST.read_text())
    return fleet.read(workspace).load("smallest")


def widgets(inputs: Inputs) -> list[dict[str, Any]]:
    body: Any = dashboard.render(inputs)[dashboard.FILE]
    found: list[dict[str, Any]] = body["widgets"]
    return found


def shown(inputs: Inputs) -> list[tuple[Metric, list[str]]]:
    """Each metric of the dashboard, and the values of its dimensions as far as they are given."""
    found: list[tuple[Metric, list[str]]] = []
    for widget in widgets(inputs):
        for line in widget["properties"].get("metrics", []):
            if isinstance(line[0], dict):
                keys, name, given = SEARCH.fullmatch(line[0]["expression"]).groups()  # type: ignore[union-attr]
                namespace, *dimensions = keys.split(",")
                found.append(((namespace, frozenset(dimensions), name), re.findall(r'="([^"]*)"', given)))
            else:
                namespace, name, *rest = [each for each in line if isinstance(each, str)]
                found.append(((namespace, frozenset(rest[::2]), name), rest[1::2]))
    return found


def test_the_dashboard_has_the_form_that_cloudwatch_takes(inputs: Inputs) -> None:
    """Limits: CloudWatch API reference, dashboard body structure, 2026-08."""
    found = widgets(inputs)
    assert 10 < len(found) <= 500
    for widget in found:
        assert widget["x"] + widget["width"] <= 24
        assert 1 <= widget["height"] <= 1000
        if widget["type"] == "text":
            assert set(widget["properties"]) == {"markdown"}
            continue
        assert widget["type"] in {"metric", "log"}
        assert widget["properties"]["region"] == inputs.cluster.region
        assert widget["properties"]["title"]
        assert ("metrics" in widget["properties"]) == (widget["type"] == "metric")
        assert ("query" in widget["properties"]) == (widget["type"] == "log")
        for line in widget["properties"].get("metrics", []):
            assert all(isinstance(each, str) for each in line[:-1])
            assert len([each for each in line if isinstance(each, str)]) % 2 == 0


def test_no_widget_lies_over_another(inputs: Inputs) -> None:
    for one, two in combinations(widgets(inputs), 2):
        beside = one["x"] + one["width"] <= two["x"] or two["x"] + two["width"] <= one["x"]
        below = one["y"] + one["height"] <= two["y"] or two["y"] + two["height"] <= one["y"]
        assert beside or below, f"{one['properties']['title']} and {two['properties']['title']}"


def test_every_metric_is_one_that_somebody_sends(inputs: Inputs) -> None:
    for (namespace, dimensions, name), _ in shown(inputs):
        of = {frozenset(keys.split()): names for keys, names in KNOWN[namespace]["dimensions"].items()}
        assert name in of[dimensions], f"{namespace} {name} by {sorted(dimensions)}"


def test_a_dashboard_names_its_own_cluster_only(inputs: Inputs) -> None:
    text = json.dumps(dashboard.render(inputs))
    assert not [name for name in CLUSTERS if name != inputs.cluster.name and name in text]
    owned = {"ClusterName", "DBInstanceIdentifier", "BucketName"}
    for (_, dimensions, name), values in shown(inputs):
        if dimensions & owned:
            assert any(value.startswith(inputs.cluster.name) for value in values), name


def test_terraform_is_left_only_what_it_alone_knows(inputs: Inputs) -> None:
    tree: Any = render(inputs)
    facts = tree["terraform/cluster.tfvars.json"]
    zones = sorted(facts["network"]["private_subnets"])
    places = re.findall(r"\$\{(.*?)\}", json.dumps(tree[dashboard.FILE]))
    assert set(places) == {
        *(f"auto_scaling_groups.{group}" for group in facts["node_groups"]),
        *(f"nat_gateways.{zone}" for zone in (zones[:1] if facts["network"]["nat"] == "single" else zones)),
        *(["load_balancer"] if facts["access"]["routes"] else []),
    }
    assert "%{" not in json.dumps(tree[dashboard.FILE])


def test_what_a_cluster_lacks_is_not_on_its_dashboard(workspace: Workspace) -> None:
    fleets.add(workspace, "smallest", SMALLEST.read_text())
    text = json.dumps(dashboard.render(fleet.read(workspace).load("smallest")))
    assert "AWS/RDS" not in text
    assert "gpu" not in text


def test_every_section_that_the_cluster_has_is_there(workspace: Workspace) -> None:
    def headings(inputs: Inputs) -> list[str]:
        texts = [each["properties"].get("markdown", "") for each in widgets(inputs)]
        return [text.removeprefix("## ") for text in texts if text.startswith("## ")]

    fleets.add(workspace, "smallest", SMALLEST.read_text())
    always = ["Node groups", "Namespaces", "DNS", "Control plane", "Network", "Data and logs"]
    assert headings(fleet.read(workspace).load("smallest")) == always
    all_of_them = ["Node groups", "GPUs", "Namespaces", "Batches", "Pipelines", *always[2:]]
    assert headings(fleets.committed().load("prod-tokyo")) == all_of_them


def test_the_reference_jsonnet_makes_the_same_dashboard(inputs: Inputs) -> None:
    facts = json.dumps(dashboard.argument(inputs))
    text = _jsonnet.evaluate_file(str(fleets.ROOT / dashboard.SOURCE), tla_codes={"cluster": facts})
    assert json.loads(text) == dashboard.render(inputs)[dashboard.FILE]


def rung(inputs: Inputs) -> dict[str, Any]:
    """Every alarm of a cluster by its name."""
    found: Any = alarms.render(inputs)[alarms.FILE]
    assert not set(found["metric"]) & set(found["expression"])
    return {**found["metric"], **found["expression"]}


def called(inputs: Inputs) -> set[Metric]:
    """The metrics that ring."""
    found: set[Metric] = set()
    for alarm in rung(inputs).values():
        for name in alarm["metrics"].values() if "metrics" in alarm else [alarm["metric"]]:
            found.add((alarm["namespace"], frozenset(alarm["dimensions"]), name))
    return found


def test_every_alarm_is_about_a_metric_that_somebody_sends(inputs: Inputs) -> None:
    for namespace, dimensions, name in called(inputs):
        of = {frozenset(keys.split()): names for keys, names in KNOWN[namespace]["dimensions"].items()}
        assert name in of[dimensions], f"{namespace} {name} by {sorted(dimensions)}"
    (restarts,) = re.findall(r"SUM\((\w+)\)", rung(inputs)["kube-system-restarts"]["expression"])
    assert restarts in KNOWN["ContainerInsights"]["dimensions"]["ClusterName Namespace PodName"]


def test_whoever_is_called_sees_on_the_dashboard_what_called(inputs: Inputs) -> None:
    """Of the load balancer, the number of errors; its healthy hosts are in the console."""
    seen = {name for (_, _, name), _ in shown(inputs)}
    assert len(called(inputs)) > 6
    assert {name for _, _, name in called(inputs)} - seen <= {"HealthyHostCount"}
    assert "pod_number_of_container_restarts" in seen


def test_an_alarm_has_all_that_terraform_takes_of_it(inputs: Inputs) -> None:
    """And CloudWatch too: at most 1,024 characters of description, and no more periods than make a day."""
    both = {"description", "comparison", "threshold", "period", "periods", "ofThem", "missing", "namespace"}
    tf = (MODULE / "alarms.tf").read_text()
    for name, alarm in rung(inputs).items():
        own = {"metrics", "expression"} if "expression" in alarm else {"metric"}
        assert set(alarm) == both | own | {"dimensions", "statistic"}, name
        assert all(f"each.value.{key}" in tf or key == "dimensions" for key in alarm)
        assert alarm["comparison"] in {"LessThanThreshold", "GreaterThanThreshold"}
        assert 1 <= alarm["ofThem"] <= alarm["periods"]
        assert alarm["periods"] * alarm["period"] <= 86_400
        assert len(alarm["description"]) <= 1024
        assert (alarm["missing"] == "breaching") == (name in {"agent-silent", "logs-silent"})


def test_terraform_knows_each_place_that_an_alarm_has(inputs: Inputs) -> None:
    tree: Any = render(inputs)
    facts = tree["terraform/cluster.tfvars.json"]
    zones = sorted(facts["network"]["private_subnets"])
    pages = facts["access"]["routes"]
    places = [text for alarm in rung(inputs).values() for text in alarm["dimensions"].values() if "$" in text]
    assert set(places) == {
        *(f"${{auto_scaling_groups.{group}}}" for group in facts["node_groups"]),
        *(f"${{nat_gateways.{zone}}}" for zone in (zones[:1] if facts["network"]["nat"] == "single" else zones)),
        *(["${load_balancer}"] if pages else []),
        *(f"${{target_groups.{app}}}" for app in pages),
    }
    tf = (MODULE / "alarms.tf").read_text()
    for place in ("$${auto_scaling_groups.${group}}", "$${nat_gateways.${zone}}", "$${target_groups.${app}}"):
        assert f'"{place}" =>' in tf


def test_alarms_are_of_what_the_cluster_has(workspace: Workspace) -> None:
    fleets.add(workspace, "smallest", SMALLEST.read_text())
    least = set(rung(fleet.read(workspace).load("smallest")))
    most = set(rung(fleets.committed().load("prod-tokyo")))
    assert not {name for name in least if name.startswith(("database", "agent", "logs"))}
    assert {"coredns-pods-few", "nodes-failed", "api-errors", "api-throttled", "kube-system-restarts"} <= least
    assert {"agent-silent", "logs-silent", "pages-errors", "pages-down-argo-cd", "nat-ports-ap-northeast-1d"} <= most
    assert {name for name in most if name.startswith("database")} == {
        *("database-cpu", "database-storage", "database-memory", "database-connections"),
    }


def test_thresholds_of_the_database_follow_its_size(workspace: Workspace) -> None:
    found = rung(fleets.committed().load("prod-tokyo"))
    assert found["database-connections"]["threshold"] == 1092  # 80 percent of 16 GiB / 12582880
    assert found["database-storage"]["threshold"] == 10 * 1024**3  # 5 percent of 200 GiB
    unknown = fleets.text().replace("prod-tokyo", "other").replace("db.r6g.large", "db.x2g.large")
    fleets.add(workspace, "other", unknown)
    told = rung(fleet.read(workspace).load("other"))
    assert {name for name in told if name.startswith("database")} == {"database-cpu", "database-storage"}


def test_the_reference_jsonnet_makes_the_same_alarms(inputs: Inputs) -> None:
    facts = json.dumps(alarms.argument(inputs))
    text = _jsonnet.evaluate_file(str(fleets.ROOT / alarms.SOURCE), tla_codes={"cluster": facts})
    assert json.loads(text) == alarms.render(inputs)[alarms.FILE]


def test_the_guide_says_what_to_do_for_each_alarm() -> None:
    guide = (fleets.ROOT / "docs" / "how-to" / "watch-a-cluster.md").read_text()
    told = set(re.findall(r"^\| `([a-z-]+?)(?:-[A-Z]+)?` \|", guide, re.MULTILINE))
    each = re.compile(r"^(nodes-missing|nat-ports|pages-down)-.*")
    assert told == {each.sub(r"\1", name) for name in rung(fleets.committed().load("prod-tokyo"))}


def test_the_guides_figures_follow_its_formula() -> None:
    guide = (fleets.ROOT / "docs" / "how-to" / "watch-a-cluster.md").read_text()
    rows = re.findall(r"^\| (\d+) nodes, \d+ pods each \| ([\d,]+), ([\d,]+) \| ([\d,]+) \|", guide, re.MULTILINE)
    assert len(rows) == 3
    for row in rows:
        nodes, pods, containers, usd = (int(each.replace(",", "")) for each in row)
        observations = 1720 + 68 * nodes + 138 * pods + 21 * containers
        assert usd == round(observations * 60 * 730 * 0.21 / 1_000_000)


def test_retention_is_what_terraform_accepts_too() -> None:
    (text,) = re.findall(r"\[(1, 3, 5, [0-9, ]+)\]", (MODULE / "variables.tf").read_text())
    assert tuple(map(int, text.split(","))) == RETENTION_DAYS


def monitoring(inputs: Inputs) -> dict[str, Any]:
    tree: Any = render(inputs)
    found: dict[str, Any] = tree["terraform/cluster.tfvars.json"]["monitoring"]
    return found


@pytest.mark.parametrize("name", CLUSTERS)
def test_terraform_finds_the_dashboard_where_it_is_told(name: str) -> None:
    facts = monitoring(fleets.committed().load(name))
    assert json.loads((fleets.ROOT / facts["dashboard"]).read_text())["widgets"]
    assert json.loads((fleets.ROOT / facts["alarms"]).read_text())["metric"]
    assert facts["budget_usd"] > 1000
    assert facts["alarm_emails"]


def test_a_cluster_that_says_nothing_is_watched_all_the_same(workspace: Workspace) -> None:
    fleets.add(workspace, "smallest", SMALLEST.read_text())
    facts = monitoring(fleet.read(workspace).load("smallest"))
    assert (facts["log_retention_days"], facts["alarm_emails"], facts["budget_usd"]) == (30, [], None)
    assert facts["log_groups"] == [
        f"/aws/containerinsights/smallest/{kind}"
        for kind in ("application", "dataplane", "host", "metrics", "performance")
    ]


def test_dns_is_an_alarm_once_more_than_a_drain_takes_away() -> None:
    tree: Any = render(fleets.committed().load("prod-tokyo"))
    replicas = tree["overlays/coredns/deployment.yaml"]["spec"]["replicas"]
    assert tree[alarms.FILE]["metric"]["coredns-pods-few"]["threshold"] == replicas - 1


def test_the_agents_silence_is_an_alarm_where_it_runs(workspace: Workspace) -> None:
    folder: Path = workspace.root / "apps" / "cloudwatch-agent"
    folder.mkdir(exist_ok=True)
    (folder / "app.yaml").write_text(
        "description: Metrics.\nowner: platform\nnamespace: agents\nkind: jsonnet\nwave: 0\npod_security: baseline\n"
    )
    (folder / "main.jsonnet").write_text("function(cluster) []\n")
    fleets.add(workspace, "smallest", SMALLEST.read_text())
    fleets.add(workspace, "watched", SMALLEST.read_text().replace("smallest", "watched") + "  cloudwatch-agent: {}\n")
    found = fleet.read(workspace)
    assert ["agent-silent" in rung(found.load(name)) for name in ("smallest", "watched")] == [False, True]


@pytest.mark.parametrize(
    ("instance_class", "gib"),
    [
        *(("db.t4g.micro", 1), ("db.t4g.medium", 4), ("db.t3.2xlarge", 32), ("db.m6g.large", 8)),
        *(("db.r6g.large", 16), ("db.r7g.16xlarge", 512), ("db.x2g.large", None), ("db.t4g.huge", None)),
    ],
)
def test_memory_of_a_database_class(instance_class: str, gib: float | None) -> None:
    assert database_memory_gib(instance_class) == gib


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("log_retention_days: 31", "`31` is no number of days that CloudWatch Logs takes\nhint: did you mean `60`?"),
        (
            "log_retention_days: 9999",
            "`9999` is no number of days that CloudWatch Logs takes\nhint: did you mean `3653`?",
        ),
        ("log_retention_days: a month", "must be a whole number"),
        ("alarm_emails: [oncall]", "`oncall` is not an e-mail address\nhint: for example `oncall@example.com`"),
        ("alarm_emails: ['a@b.example, c@d.example']", "is not an e-mail address"),
        ("budget_usd: 0", "0 is less than 1, the limit"),
        ("budget: 5", "is not a known key\nhint: did you mean `budget_usd`?"),
    ],
)
def test_what_cannot_be_is_refused_in_words(workspace: Workspace, line: str, told: str) -> None:
    fleets.add(workspace, "smallest", f"{SMALLEST.read_text()}monitoring:\n  {line}\n")
    with pytest.raises(FleetError) as caught:
        fleet.read(workspace).load("smallest")
    assert "clusters/smallest/cluster.yaml:" in str(caught.value)
    assert told in str(caught.value)


def test_a_broken_dashboard_is_told_at_its_place(workspace: Workspace) -> None:
    fleets.add(workspace, "smallest", SMALLEST.read_text())
    source = workspace.root / dashboard.SOURCE
    source.write_text("function(cluster)\n  error 'boom'\n")
    (problem,) = render_cluster(fleet.read(workspace), "smallest", "write").problems
    assert str(problem.place) == f"{dashboard.SOURCE}:2:3"
    source.unlink()
    (problem,) = render_cluster(fleet.read(workspace), "smallest", "write").problems
    assert f"{dashboard.SOURCE} is not there" in problem.message
