"""Third-party charts as values: where each one's pods run, what they ask for, and that none needs instance metadata."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from typer.testing import Result

from generators.errors import FleetError
from generators.model import names, sizing
from generators.model.catalog import Inputs
from generators.pipeline import fleet as pipeline
from generators.renderers import argocd, values
from generators.source.workspace import Workspace
from tests import fleets

CLUSTERS = ["dev-tokyo", "prod-tokyo"]
AWS_VARIABLES = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_MAX_ATTEMPTS": "10",
    "AWS_RETRY_MODE": "adaptive",
    "AWS_STS_REGIONAL_ENDPOINTS": "regional",
}
HANDLER = "  aws-node-termination-handler: {scheduled_events: true}\n"
DEPLOYMENTS = {
    "aws-ebs-csi-driver": ("controller", "replicaCount"),
    "cluster-autoscaler": ("", "replicaCount"),
    "external-secrets": ("", "replicaCount"),
    "metrics-server": ("", "replicas"),
}
"""App → where the chart takes what its pods on the system nodes get, and the name of their number there."""
DAEMON_SETS = {
    "aws-ebs-csi-driver": "node.updateStrategy.rollingUpdate",
    "aws-node-termination-handler": "updateStrategy.rollingUpdate",
    "dcgm-exporter": "rollingUpdate",
    "node-local-dns": "updateStrategy.rollingUpdate",
    "nvidia-device-plugin": "updateStrategy.rollingUpdate",
}
GPU_APPS = ("dcgm-exporter", "nvidia-device-plugin")
Values = dict[str, Any]


def merged(inputs: Inputs, app: str) -> Values:
    """What the chart gets, as Helm puts the files together."""
    own = yaml.safe_load((fleets.ROOT / "apps" / app / "values.yaml").read_text())
    generated = values.render(inputs).get(f"values/{app}.yaml", {})
    found: Values = over(own, generated)
    return found


def over(low: Any, high: Any) -> Any:
    if not (isinstance(low, dict) and isinstance(high, dict)):
        return high
    return {
        key: over(low[key], high[key]) if key in low and key in high else {**low, **high}[key] for key in low | high
    }


def at(found: Values, path: str) -> Any:
    for step in filter(None, path.split(".")):
        found = found[step]
    return found


def environment(found: Any) -> dict[str, str]:
    return found if isinstance(found, dict) else {each["name"]: each["value"] for each in found}


def changed(workspace: Workspace, *changes: tuple[str, str]) -> Inputs:
    """prod-tokyo with other words in its file. Raises FleetError where that breaks a rule."""
    text = fleets.text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    fleets.add(workspace, "prod-tokyo", text)
    return pipeline.read(workspace).load("prod-tokyo")


@pytest.fixture(params=CLUSTERS)
def inputs(request: pytest.FixtureRequest) -> Inputs:
    return fleets.committed().load(request.param)


def test_production_has_every_package_but_the_termination_handler() -> None:
    on = fleets.committed().load("prod-tokyo").apps()
    third_party = {name for name, app in fleets.committed().catalog.apps.items() if app.chart}
    assert third_party - on.keys() == {"aws-node-termination-handler", "node-local-dns"}


def test_a_new_cluster_has_what_production_has_but_the_credential_of_a_private_repository(
    workspace: Workspace, fleet: Callable[..., Result]
) -> None:
    assert fleet("new", "demo").exit_code == 0
    text = (workspace.clusters / "demo" / "cluster.yaml").read_text()
    assert yaml.safe_load(text)["apps"].keys() ^ set(fleets.committed().load("prod-tokyo").apps()) == {"git-credential"}


@pytest.mark.parametrize("app", DEPLOYMENTS)
def test_controllers_stand_on_system_nodes_apart_and_one_may_go(inputs: Inputs, app: str) -> None:
    path, count = DEPLOYMENTS[app]
    found = at(merged(inputs, app), path)
    assert found["nodeSelector"] == {names.ROLE_LABEL: "system"}
    assert {each["key"] for each in found["tolerations"]} == {names.SYSTEM_TAINT["key"]}
    (spread,) = found["topologySpreadConstraints"]
    assert spread["labelSelector"]["matchLabels"]["app.kubernetes.io/instance"] == app, "the release's name"
    assert found[count] == 2
    assert found["podDisruptionBudget"] in (
        {"enabled": True},
        {"maxUnavailable": 1},
        {"enabled": True, "maxUnavailable": 1},
        {"enabled": True, "minAvailable": 1},
    )
    assert found["priorityClassName"] == "system-cluster-critical"
    bounded(found["resources"])


def bounded(resources: Values) -> None:
    assert resources["requests"].keys() == {"cpu", "memory"}
    assert resources["limits"]["memory"]


@pytest.mark.parametrize("app", DAEMON_SETS)
def test_daemon_sets_roll_over_hundreds_of_nodes_and_are_bounded(app: str) -> None:
    found = merged(fleets.committed().load("prod-tokyo"), app) if app in on_prod() else plain(app)
    assert at(found, DAEMON_SETS[app])["maxUnavailable"] == "10%"
    bounded(found["node"]["resources"] if app == "aws-ebs-csi-driver" else found["resources"])


def on_prod() -> set[str]:
    return set(fleets.committed().load("prod-tokyo").apps())


def plain(app: str) -> Values:
    found: Values = yaml.safe_load((fleets.ROOT / "apps" / app / "values.yaml").read_text())
    return found


@pytest.mark.parametrize("app", GPU_APPS)
def test_gpu_packages_run_where_gpus_are_whatever_the_groups_taints(workspace: Workspace, app: str) -> None:
    taint = "taints: [{key: team.example.com/gpu, value: x}]"
    inputs = changed(workspace, ("    gpu: {mode: job}\n", f"    gpu: {{mode: job}}\n    {taint}\n"))
    found = merged(inputs, app)
    assert {each["key"] for each in found["tolerations"]} == {names.GPU_TAINT["key"], "team.example.com/gpu"}
    assert all("value" not in each and "effect" not in each for each in found["tolerations"])
    for name, group in inputs.cluster.node_groups.items():
        labels = names.node_labels(name, group, inputs.catalog.instances[group.instance_types[0]])
        assert (found["nodeSelector"].items() <= labels.items()) == (group.gpu is not None)


def test_whoever_calls_aws_is_told_the_region_and_kept_from_metadata(inputs: Inputs) -> None:
    where = {
        "aws-ebs-csi-driver": ("controller.env", "controller.region"),
        "cluster-autoscaler": ("extraEnv", "awsRegion"),
        "external-secrets": ("extraEnv", ""),
    }
    calling = {name for name, app in inputs.apps().items() if app.kind == "helm" and app.chart and app.identities}
    assert calling == where.keys()
    for app, (env, region) in where.items():
        found = merged(inputs, app)
        variables = environment(at(found, env))
        assert variables.items() >= AWS_VARIABLES.items(), app
        told = variables.get("AWS_REGION") or at(found, region)
        assert told == inputs.cluster.region
        assert not (region and "AWS_REGION" in variables), "the chart adds it, and one name twice is refused"


def test_the_volume_driver_knows_its_node_from_kubernetes(inputs: Inputs) -> None:
    node = merged(inputs, "aws-ebs-csi-driver")["node"]
    assert node["metadataSources"] == "kubernetes"
    assert node["reservedVolumeAttachments"] >= 8, "the root volume and interfaces that a Node object does not tell of"
    assert node["tolerateAllTaints"] is True


def test_only_the_termination_handler_asks_the_node_by_its_network(workspace: Workspace) -> None:
    inputs = changed(workspace, ("apps:\n", "apps:\n" + HANDLER))
    found = merged(inputs, "aws-node-termination-handler")
    assert found["useHostNetwork"] is True
    assert found["enableScheduledEventDraining"] is True
    left_to_eks = ("SpotInterruptionDraining", "RebalanceDraining", "RebalanceMonitoring", "ASGLifecycleDraining")
    assert not any(found[f"enable{event}"] for event in left_to_eks)
    assert not {"tolerations", "linuxTolerations"} & found.keys(), "they would replace those of all taints"


def test_annotations_of_service_accounts_are_text_however_a_chart_writes_them(inputs: Inputs) -> None:
    """cluster-autoscaler's chart writes them without quotes."""
    third_party = [f"values/{name}.yaml" for name, app in inputs.apps().items() if app.chart]
    found = str([document for path, document in values.render(inputs).items() if path in third_party])
    for each in re.findall(r"'serviceAccount': \{[^{}]*'annotations': (\{[^{}]*\})", found):
        for text in yaml.safe_load(each).values():
            assert yaml.safe_load(f"key: {text}") == {"key": text}
    assert "eks.amazonaws.com/role-arn" in found


def test_the_driver_reaches_no_volume_of_another_cluster(inputs: Inputs) -> None:
    (identity,) = inputs.catalog.apps["aws-ebs-csi-driver"].identities.values()
    for statement in identity.statements:
        if not all(action.startswith("ec2:Describe") for action in statement.actions):
            keys = statement.conditions["StringEquals"]
            assert keys.keys() == {"ec2:CreateAction"} or list(keys.values()) == [("{cluster}",)], statement
    controller = merged(inputs, "aws-ebs-csi-driver")["controller"]
    assert controller["k8sTagClusterId"] == inputs.cluster.name, "the driver then sets the tag that its role asks for"


def test_one_storage_class_is_the_default_unless_told_otherwise(workspace: Workspace) -> None:
    def default(inputs: Inputs) -> str:
        (gp3,) = merged(inputs, "aws-ebs-csi-driver")["storageClasses"]
        assert (gp3["name"], gp3["volumeBindingMode"]) == ("gp3", "WaitForFirstConsumer")
        assert gp3["parameters"]["encrypted"] == "true"
        found: str = gp3["annotations"]["storageclass.kubernetes.io/is-default-class"]
        return found

    assert default(fleets.committed().load("prod-tokyo")) == "true"
    off = changed(workspace, ("  aws-ebs-csi-driver: {}\n", "  aws-ebs-csi-driver: {default_class: false}\n"))
    assert default(off) == "false"


def test_profiling_alone_gets_a_capability(workspace: Workspace) -> None:
    def added(inputs: Inputs) -> list[str]:
        context = merged(inputs, "dcgm-exporter")["securityContext"]
        assert context["capabilities"]["drop"] == ["ALL"]
        found: list[str] = context["capabilities"]["add"]
        return found

    assert added(fleets.committed().load("prod-tokyo")) == []
    assert added(changed(workspace, ("  dcgm-exporter: {}\n", "  dcgm-exporter: {profiling: true}\n"))) == ["SYS_ADMIN"]


def test_a_fleet_without_shared_gpus_has_no_sidecar_beside_the_plugin() -> None:
    found = {name: merged(fleets.committed().load(name), "nvidia-device-plugin") for name in CLUSTERS}
    assert "config" not in found["prod-tokyo"]
    assert found["dev-tokyo"]["config"]["map"].keys() == {"whole", "sliced-4"}


def test_more_nodes_ask_for_more(workspace: Workspace) -> None:
    big = fleets.committed().load("prod-tokyo")
    small = changed(workspace, ("    max: 400\n", "    max: 20\n"))
    assert sizing.metrics_server(big) > sizing.metrics_server(small) >= (100, 200)
    cpu, memory = sizing.metrics_server(big)
    nodes = sizing.planned(big).nodes
    assert nodes <= cpu < nodes + 50
    assert 2 * nodes <= memory < 2 * nodes + 50
    assert sizing.ebs_controller_mib(big) > sizing.ebs_controller_mib(small) > 64


def test_what_volumes_and_secrets_hang_on_does_not_go_with_its_application(inputs: Inputs) -> None:
    found: Any = argocd.render(inputs)
    for app in ("aws-ebs-csi-driver", "external-secrets"):
        assert "finalizers" not in found[f"argocd/{app}.yaml"]["metadata"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            [("apps:\n", "apps:\n  aws-node-termination-handler: {}\n")],
            "apps.aws-node-termination-handler: every node group here is a managed one, and EKS drains their nodes",
        ),
        (
            [
                ("    gpu: {mode: server}\n", ""),
                ("    gpu: {mode: job}\n", ""),
                ("[g4dn.xlarge]", "[m6i.xlarge]"),
                ("[g5.xlarge]", "[m6i.xlarge]"),
            ],
            "apps.dcgm-exporter: no node group here has GPUs",
        ),
    ],
)
def test_a_package_without_work_is_refused(workspace: Workspace, changes: list[tuple[str, str]], message: str) -> None:
    with pytest.raises(FleetError, match=re.escape(message)):
        changed(workspace, *changes)
