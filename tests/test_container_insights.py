"""The CloudWatch agent's JSON, held to a strict model; and how it gets at GPUs without its maker's operator.

The published schema (aws/amazon-cloudwatch-agent, translator/config/schema.json) leaves `kubernetes` open, where a
misspelt key would be read by nobody. So the model here is narrower: the keys that the agent's source reads.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from generators.pipeline import fleet
from generators.renderers import dashboard, render
from generators.renderers.charts import cloudwatch_agent
from generators.source.workspace import Workspace
from tests import fleets, own_charts
from tests.own_charts import Values, template

CLUSTERS = ["dev-tokyo", "prod-tokyo"]
SMALLEST = fleets.ROOT / "tests" / "golden" / "clusters" / "smallest" / "cluster.yaml"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Agent(Strict):
    region: Annotated[str, Field(pattern=r"^[a-z]{2}-[a-z]+-\d$")]


class Kubernetes(Strict):
    """translator/translate/otel/receiver/awscontainerinsight/translator.go, 2026-08-07."""

    cluster_name: Annotated[str, Field(min_length=1, max_length=512)]
    metrics_collection_interval: Annotated[int, Field(ge=1, le=172_800)]
    enhanced_container_insights: bool
    accelerated_compute_metrics: bool
    tag_service: Literal[False]
    """True makes each agent of hundreds watch all endpoints, for one dimension more."""


class Declaration(Strict):
    """Without source_labels, the agent drops a declaration and says nothing."""

    source_labels: Annotated[list[str], Field(min_length=1)]
    label_matcher: str
    dimensions: Annotated[list[list[str]], Field(min_length=1)]
    metric_selectors: Annotated[list[str], Field(min_length=1)]


class Processor(Strict):
    metric_namespace: Literal["ContainerInsights/Prometheus"]
    metric_declaration: Annotated[list[Declaration], Field(min_length=1)]


class Prometheus(Strict):
    cluster_name: Annotated[str, Field(min_length=1)]
    log_group_name: Annotated[str, Field(pattern=r"^/aws/containerinsights/[^/]+/performance$")]
    prometheus_config_path: str
    emf_processor: Processor


class OfNodes(Strict):
    kubernetes: Kubernetes


class OfGpus(Strict):
    prometheus: Prometheus


class Logs(Strict):
    metrics_collected: OfNodes | OfGpus
    force_flush_interval: Annotated[int, Field(ge=1)]


class Config(Strict):
    agent: Agent
    logs: Logs


def written(values: Values, name: str = "cloudwatch-agent") -> str:
    return str(template("cloudwatch-agent", values)["ConfigMap", name]["data"]["cwagentconfig.json"])


def kubernetes(values: Values) -> Kubernetes:
    found = Config.model_validate_json(written(values)).logs.metrics_collected
    assert isinstance(found, OfNodes)
    return found.kubernetes


def gpus(values: Values) -> tuple[Prometheus, Any]:
    """What the agent of GPUs is told, and its Prometheus configuration."""
    with_gpus = {**values, "gpu": {"used": True, **values.get("gpu", {})}}
    found = Config.model_validate_json(written(with_gpus, "cloudwatch-agent-gpu")).logs.metrics_collected
    assert isinstance(found, OfGpus)
    data = template("cloudwatch-agent", with_gpus)["ConfigMap", "cloudwatch-agent-gpu"]["data"]
    return found.prometheus, yaml.safe_load(data["prometheus.yaml"])


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_the_agent_of_a_cluster_is_told_what_its_file_says(cluster: str) -> None:
    settings = fleets.committed().load(cluster).cluster.apps.cloudwatch_agent
    assert settings
    told = kubernetes(own_charts.of_cluster("cloudwatch-agent", cluster))
    assert told.cluster_name == cluster
    assert told.metrics_collection_interval == settings.interval_seconds
    assert told.enhanced_container_insights == settings.enhanced
    assert told.accelerated_compute_metrics


@pytest.mark.parametrize("on", [True, False])
def test_each_switch_reaches_the_agent(on: bool) -> None:
    told = kubernetes({"enhanced": on, "gpu": {"requested": on}, "interval": 10 if on else 3600})
    assert told.enhanced_container_insights is on
    assert told.accelerated_compute_metrics is on
    assert told.metrics_collection_interval == (10 if on else 3600)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"tag_service"', '"tag_services"'),
        ('"enhanced_container_insights": true', '"enhanced_container_insights": "true"'),
        ('"cluster_name": "demo"', '"cluster_name": ""'),
        ('"kubernetes"', '"kubernets"'),
        ('"force_flush_interval"', '"flush"'),
    ],
)
def test_the_model_sees_what_is_broken(old: str, new: str) -> None:
    text = written({})
    assert old in text
    with pytest.raises(ValidationError):
        Config.model_validate_json(text.replace(old, new))


def test_nothing_of_it_needs_more_of_iam_than_its_role_has() -> None:
    """Metrics are events of one log group; the agent of GPUs writes to the same one."""
    app = fleets.committed().catalog.apps["cloudwatch-agent"]
    actions = {action for each in app.identities["cloudwatch-agent"].statements for action in each.actions}
    assert actions == {"logs:CreateLogStream", "logs:PutLogEvents", "ec2:DescribeTags", "ec2:DescribeVolumes"}
    prometheus, _ = gpus({})
    assert prometheus.log_group_name == "/aws/containerinsights/demo/performance"


def test_gpus_are_told_apart_by_node_group() -> None:
    prometheus, scraped = gpus({})
    (declaration,) = prometheus.emf_processor.metric_declaration
    assert declaration.dimensions == [["ClusterName"], ["ClusterName", "NodeGroup"]]
    (job,) = scraped["scrape_configs"]
    assert re.fullmatch(declaration.label_matcher, job["job_name"])
    assert declaration.source_labels == ["job"]
    labels = {each["target_label"]: each["source_labels"] for each in job["relabel_configs"] if "target_label" in each}
    assert labels["NodeGroup"] == ["__meta_kubernetes_node_label_inference_fleet_node_group"]
    (discovery,) = job["kubernetes_sd_configs"]
    assert discovery["attach_metadata"] == {"node": True}
    assert discovery["namespaces"] == {"names": ["kube-system"]}
    (pod,) = [
        each
        for name, each in own_charts.pods(template("cloudwatch-agent", {"gpu": {"used": True}})).items()
        if name.endswith("gpu")
    ]
    mounted = {each["mountPath"] for each in pod["containers"][0]["volumeMounts"]}
    assert prometheus.prometheus_config_path in mounted
    # Of each YAML file beside its own, the agent would make a pipeline.
    assert not prometheus.prometheus_config_path.startswith("/etc/cwagentconfig")


def test_the_exporter_is_found_by_all_of_its_labels_and_its_port() -> None:
    exporter = {"namespace": "gpus", "labels": {"a": "b", "c.d/e": "f", "app.kubernetes.io/name": "x"}, "port": 9999}
    _, scraped = gpus({"gpu": {"exporter": exporter, "nodeGroupLabel": "a-b.c/d"}})
    (job,) = scraped["scrape_configs"]
    (discovery,) = job["kubernetes_sd_configs"]
    assert discovery["selectors"] == [{"role": "pod", "label": "a=b,app.kubernetes.io/name=x,c.d/e=f"}]
    assert {"source_labels": ["__meta_kubernetes_pod_container_port_number"], "regex": "9999", "action": "keep"} in job[
        "relabel_configs"
    ]
    assert "__meta_kubernetes_node_label_a_b_c_d" in str(job["relabel_configs"])


def test_gpus_are_asked_where_the_cluster_has_some_and_their_exporter(workspace: Workspace) -> None:
    folder = workspace.root / "apps" / "dcgm-exporter"
    folder.mkdir(exist_ok=True)
    (folder / "app.yaml").write_text(
        "description: GPUs.\nowner: ml\nnamespace: gpus\nkind: jsonnet\nwave: 0\npod_security: restricted\n"
    )
    (folder / "main.jsonnet").write_text("function(cluster) []\n")
    with_gpus = fleets.text().replace("prod-tokyo", "with-gpus").replace("  dcgm-exporter: {}\n", "")
    fleets.add(workspace, "with-gpus", with_gpus)
    fleets.add(workspace, "and-exporter", with_gpus.replace("with-gpus", "and-exporter") + "  dcgm-exporter: {}\n")
    smallest = SMALLEST.read_text().replace("smallest", "without")
    fleets.add(workspace, "without", smallest + "  cloudwatch-agent: {}\n")
    found = fleet.read(workspace)

    def gpu(name: str) -> Any:
        tree: Any = render(found.load(name))
        return tree["values/cloudwatch-agent.yaml"]["gpu"]

    assert gpu("without") == {"requested": False}
    assert gpu("with-gpus") == {"requested": True}
    asked = gpu("and-exporter")
    assert asked["used"] is True
    assert asked["exporter"]["namespace"] == "gpus"
    assert asked["nodeSelector"] == {"inference-fleet/role": "system"}
    assert "DCGM" not in json.dumps(dashboard.render(found.load("with-gpus")))
    shown = json.dumps(dashboard.render(found.load("and-exporter")))
    of_groups = re.findall(r'"(DCGM_\w+)", "ClusterName", "and-exporter", "NodeGroup", "([a-z0-9-]+)"', shown)
    prometheus, _ = gpus({})
    (declaration,) = prometheus.emf_processor.metric_declaration
    (selector,) = declaration.metric_selectors
    assert {group for _, group in of_groups} == {"gpu-a10g", "gpu-t4"}
    assert len(of_groups) == 12
    assert all(re.search(selector, name) for name, _ in of_groups)


@pytest.mark.parametrize(("nodes", "memory"), [(50, "500Mi"), (200, "500Mi"), (201, "600Mi"), (1000, "900Mi")])
def test_memory_follows_the_nodes_as_any_agent_may_have_to_watch_all(nodes: int, memory: str) -> None:
    assert cloudwatch_agent.memory(nodes) == memory
