"""What is derived from a cluster file, against figures worked out by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from generators.errors import FleetError
from generators.model import names, sizing, subnets
from generators.model.catalog import Inputs
from generators.model.catalog_rules import PLACEHOLDERS
from generators.model.identities import identities
from generators.pipeline import fleet
from generators.source.workspace import Workspace
from tests import fleets

Load = Callable[[str], Inputs]
SMALL = """\
name: small
environment: production
network: {vpc_cidr: 10.1.0.0/16, zones: [a, c, d], pod_cidrs: [100.64.0.0/16]}
node_groups:
  system: {instance_types: [m6i.large], capacity: on-demand, role: system, min: 2, max: 4}
  workers: {instance_types: [c5.4xlarge, c6i.4xlarge], capacity: spot, min: 0, max: MAX}
apps:
  argo-cd: {}
  coredns: {SETTINGS}
  cluster-autoscaler: {}
  nvidia-device-plugin: {}
  gpu-inference: {}
"""


@pytest.fixture
def load(workspace: Workspace) -> Load:
    def load(text: str) -> Inputs:
        fleets.add(workspace, "small", text)
        return fleet.read(workspace).load("small")

    return load


def small(nodes: int, settings: str = "") -> str:
    return SMALL.replace("MAX", str(nodes)).replace("{SETTINGS}", f"{{{settings}}}")


def test_names_are_derived_from_the_cluster(load: Load) -> None:
    cluster = load(small(10)).cluster
    assert names.bucket(cluster) == "small-123456789012-ap-northeast-1"
    assert names.cluster_dns(cluster) == "172.20.0.10"
    assert names.zones(cluster) == ["ap-northeast-1a", "ap-northeast-1c", "ap-northeast-1d"]
    assert names.database_identifier(cluster) == "small-pipelines"
    assert names.database_secret(cluster) == "small/kubeflow-pipelines/database"
    assert names.role_arn(cluster, "kube-system", "cluster-autoscaler") == (
        "arn:aws:iam::123456789012:role/small-kube-system-cluster-autoscaler"
    )
    assert cluster.access.domain == "small.inference.example.com"


def test_long_role_names_stay_within_64_characters_and_apart(load: Load) -> None:
    cluster = load(small(10)).cluster
    long = [names.role_name(cluster, "n" * 40, "s" * 30 + end) for end in "ab"]
    assert [len(name) for name in long] == [64, 64]
    assert long[0] != long[1]


def test_subnets_do_not_overlap_and_lie_in_their_blocks(load: Load) -> None:
    cluster = load(small(10)).cluster
    assert subnets.private(cluster) == {
        "ap-northeast-1a": "10.1.0.0/18",
        "ap-northeast-1c": "10.1.64.0/18",
        "ap-northeast-1d": "10.1.128.0/18",
    }
    assert subnets.public(cluster)["ap-northeast-1d"] == "10.1.200.0/22"
    assert subnets.pods(cluster)["ap-northeast-1c"] == ["100.64.64.0/18"]


@pytest.mark.parametrize(
    ("nodes", "settings", "replicas"),
    [
        (10, "", 5),  # 14 nodes: one a 16 nodes would be 1, and 5 is the least
        (92, "", 6),  # 96 nodes / 16; 92 x 16 + 4 x 2 = 1480 cores / 256 = 5.8
        (110, "", 8),  # 114 / 16 = 7.1
        (400, "", 10),  # 404 / 16 = 25.3, and 10 is the most
        (400, "replicas: 7", 7),
    ],
)
def test_coredns_replicas_follow_nodes_and_cores(load: Load, nodes: int, settings: str, replicas: int) -> None:
    assert sizing.dns(load(small(nodes, settings))).replicas == replicas


def test_coredns_resources_follow_the_published_formula(load: Load) -> None:
    dns = sizing.dns(load(small(400)))
    # 4 x 29 + 400 x 110 (EKS's cap; the CNI could do 234) = 44,116 pods: 54 + 44.1 = 98.1 MiB, in steps of 10
    assert (dns.memory_request_mib, dns.memory_limit_mib) == (100, 170)
    # 404 nodes x 20 queries/s, a fifth of them forwarded, over the interfaces of the 2 system nodes that always stay
    assert (dns.queries, dns.forwarded, dns.interfaces) == (8080, 1616, 2)
    assert sizing.dns_overload(dns) == ""


def test_dns_overload_is_seen_in_queries_and_in_packets(load: Load) -> None:
    found = sizing.dns(load(small(400)))
    busy = sizing.Dns(**{**vars(found), "queries": found.replicas * sizing.QUERIES_PER_CORE + 1})
    assert "queries/s are planned" in sizing.dns_overload(busy)
    chatty = sizing.Dns(**{**vars(found), "forwarded": found.interfaces * sizing.PACKETS_PER_ENI + 1})
    assert "packets/s to the VPC resolver" in sizing.dns_overload(chatty)


def test_identity_statements_have_every_placeholder_filled(load: Load) -> None:
    found = {each.app: each for each in identities(load(small(10)))}
    assert "{" not in str([each.statements for each in found.values()]).replace("{'", "")
    bucket = "arn:aws:s3:::small-123456789012-ap-northeast-1"
    reads = next(each for each in found["gpu-inference"].statements if each["Action"] == ["s3:GetObject"])
    assert reads["Resource"] == [f"{bucket}/models/*"]  # no job is declared, so there is no input to read
    writes = [each for each in found["gpu-inference"].statements if "s3:PutObject" in str(each["Action"])]
    assert writes == []


def test_placeholders_are_those_that_app_files_may_use(load: Load) -> None:
    assert set(names.placeholders(load(small(1)).cluster)) == PLACEHOLDERS


def test_an_asg_pattern_matches_its_own_group_only() -> None:
    import re

    uuid = "f4c1b2c3-93b6-4f4e-9b0e-0123456789ab"
    assert re.search(names.asg_pattern("workers"), f"eks-workers-0a1b2c3d-{uuid}")
    assert not re.search(names.asg_pattern("workers"), f"eks-workers-on-demand-0a1b2c3d-{uuid}")
    assert not re.search(names.asg_pattern("workers"), f"eks-workers-deadbeef-0a1b2c3d-{uuid}")


SPOT_SYSTEM = small(10).replace("capacity: on-demand", "capacity: spot, mix: {on_demand_base: 1}")


def test_a_spot_group_with_an_on_demand_base_is_system_group_enough(load: Load) -> None:
    assert load(SPOT_SYSTEM).cluster.node_groups["system"].capacity == "spot"


@pytest.mark.parametrize("edit", [("_base: 1", "_base: 0"), ("_base: 1", "_percentage: 50"), ("min: 2", "min: 0")])
def test_the_system_needs_a_node_that_spot_cannot_take(load: Load, edit: tuple[str, str]) -> None:
    with pytest.raises(FleetError, match="no node group has `role: system`"):
        load(SPOT_SYSTEM.replace(*edit))


def test_jobs_run_as_many_shards_as_the_gpus_hold() -> None:
    inputs = fleets.committed().load("prod-tokyo")
    settings = inputs.cluster.apps.gpu_inference
    assert settings is not None
    assert sizing.parallelism(inputs, settings.jobs["backlog"]) == 40
    inputs = fleets.committed().load("dev-tokyo")
    assert sizing.job_slots(inputs, inputs.cluster.node_groups["gpu-a10g"]) == 200
