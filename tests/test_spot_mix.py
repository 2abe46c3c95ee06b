"""The spot mix against a stand-in of AWS: what is written, kept and refused. The command is the real one."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from moto.eks.models import eks_backends

from generators.source.workspace import Workspace
from tests.spot_aws import ACCOUNT, CLUSTER, EKS_MAKES, REGION, TYPES, World
from tests.spot_gate import serving

UPDATE = "UpdateAutoScalingGroup"


@pytest.fixture
def world(workspace: Workspace) -> Iterator[World]:
    with serving() as (gate, url):
        yield World(workspace, gate, url)


def test_apply_writes_the_shares_and_keeps_all_else(world: World) -> None:
    world.make("workers", {"on_demand_base": 2, "on_demand_percentage": 10}, SpotMaxPrice="0.5")
    before = world.live("workers")
    done = world.run("apply", CLUSTER)
    assert done.returncode == 0, done.stderr
    assert "workers: on_demand_base 0 → 2, on_demand_percentage 0 → 10" in done.stderr
    assert "AWS does not support this edit" in done.stderr
    shares = before["MixedInstancesPolicy"]["InstancesDistribution"]
    assert shares["SpotMaxPrice"] == "0.5"
    shares |= {"OnDemandBaseCapacity": 2, "OnDemandPercentageAboveBaseCapacity": 10}
    assert world.live("workers") == before


def test_apply_again_writes_nothing(world: World) -> None:
    world.make("workers", {"on_demand_base": 2, "weights": {"c6i.2xlarge": 2, "c6a.2xlarge": 2, "c5a.2xlarge": 2}})
    assert world.run("apply", CLUSTER).returncode == 0
    assert world.gate.calls[UPDATE] == 1
    assert world.run("apply", CLUSTER).returncode == 0
    assert world.gate.calls[UPDATE] == 0
    assert world.run("check", CLUSTER).returncode == 0


def test_drift_is_found_and_mended(world: World) -> None:
    world.make("workers", {"on_demand_base": 2})
    world.run("apply", CLUSTER)
    reset = {"InstancesDistribution": EKS_MAKES}
    world.asg.update_auto_scaling_group(AutoScalingGroupName=world.name("workers"), MixedInstancesPolicy=reset)
    found = world.run("check", CLUSTER)
    assert found.returncode == 1
    assert found.stdout.splitlines()[1].split() == ["workers", "on_demand_base", "0", "2"]
    assert world.gate.calls[UPDATE] == 0
    assert world.run("diff", CLUSTER).returncode == 0
    assert world.run("apply", CLUSTER).returncode == 0
    assert world.shares("workers") == (2, 0)


def test_differences_as_json(world: World) -> None:
    world.make("workers", {"on_demand_base": 2})
    world.make("gpu", kinds=("g5.xlarge",))
    found = world.run("check", CLUSTER, "--output", "json")
    assert found.returncode == 1
    workers, gpu = json.loads(found.stdout)["groups"]
    assert workers["changes"] == {"on_demand_base": {"is": 0, "should_be": 2}}
    assert (workers["state"], workers["auto_scaling_group"]) == ("differs", world.name("workers"))
    assert (gpu["state"], gpu["changes"]) == ("same", {})


def test_dry_run_shows_and_writes_nothing(world: World) -> None:
    world.make("workers", {"on_demand_base": 2})
    done = world.run("apply", CLUSTER, "--dry-run")
    assert done.returncode == 0
    assert "on_demand_base" in done.stdout
    assert world.shares("workers") == (0, 0)
    assert world.gate.calls[UPDATE] == 0


def test_weights_go_on_all_types_in_their_order_and_off_with_the_mix(world: World) -> None:
    world.autoscaled(False)
    world.make("workers", {"on_demand_base": 1, "weights": {"c6a.2xlarge": 4}})
    template = world.live("workers")["MixedInstancesPolicy"]["LaunchTemplate"]["LaunchTemplateSpecification"]
    assert world.run("apply", CLUSTER).returncode == 0
    assert world.weights("workers") == ["1", "4", "1"]
    world.declare("workers")
    assert world.run("check", CLUSTER).returncode == 1
    assert world.run("apply", CLUSTER).returncode == 0
    assert world.weights("workers") == [None, None, None]
    assert world.shares("workers") == (0, 0)
    held = world.live("workers")["MixedInstancesPolicy"]["LaunchTemplate"]
    assert held["LaunchTemplateSpecification"] == template
    assert [each["InstanceType"] for each in held["Overrides"]] == list(TYPES)


def test_equal_weights_are_written_with_a_warning_where_cluster_autoscaler_counts_nodes(world: World) -> None:
    world.make("workers", {"weights": dict.fromkeys(TYPES, 2)})
    done = world.run("apply", CLUSTER)
    assert done.returncode == 0
    assert "warning: workers: with weights the group's sizes count units" in done.stderr
    assert world.weights("workers") == ["2", "2", "2"]


def test_allocation_and_rebalancing_are_held_in_every_spot_group(world: World) -> None:
    world.make("old", SpotAllocationStrategy="capacity-optimized")
    world.make("cheap", rebalance=False, SpotAllocationStrategy="lowest-price", SpotInstancePools=4)
    assert world.run("apply", CLUSTER).returncode == 0
    assert world.gate.calls[UPDATE] == 1
    cheap = world.live("cheap")
    assert cheap["CapacityRebalance"] is True
    assert cheap["MixedInstancesPolicy"]["InstancesDistribution"] == EKS_MAKES


def test_refusals_come_all_at_once_and_spare_the_others(world: World) -> None:
    world.make("unequal", {"on_demand_base": 1, "weights": {"c6a.2xlarge": 2}})
    world.make("shapes", {"on_demand_base": 1}, kinds=("c6i.2xlarge", "m6i.2xlarge"))
    world.make("gpus", {"on_demand_base": 1}, kinds=("g4dn.xlarge", "g5.xlarge"))
    world.make("absent", {"on_demand_base": 1, "weights": {"c7i.2xlarge": 1}})
    world.make("on-demand", {"on_demand_base": 1}, capacity="ON_DEMAND")
    world.make("gone", asg=False)
    world.make("good", {"on_demand_base": 1})
    done = world.run("apply", CLUSTER)
    assert done.returncode == 2
    lines = {line.split(": ")[2]: line for line in done.stderr.splitlines() if line.startswith("error: ")}
    assert "unequal weights stop cluster-autoscaler" in lines["node_groups.unequal"]
    assert "c6i.2xlarge 8 vCPU, 16 GiB; m6i.2xlarge 8 vCPU, 32 GiB" in lines["node_groups.shapes"]
    assert "4 vCPU, 16 GiB, 1× T4; g5.xlarge 4 vCPU, 16 GiB, 1× A10G" in lines["node_groups.gpus"]
    assert "c7i.2xlarge is not among the types" in lines["node_groups.absent"]
    assert "AWS has it as ON_DEMAND" in lines["node_groups.on-demand"]
    assert "its Auto Scaling group is gone" in lines["node_groups.gone"]
    assert len(lines) == 6
    assert [world.shares(key) for key in ("unequal", "shapes", "gpus", "absent", "on-demand")] == [(0, 0)] * 5
    assert world.shares("good") == (1, 0)
    assert world.run("check", CLUSTER).returncode == 2


def test_mixed_shapes_without_a_mix_are_nobodys_business(world: World) -> None:
    world.make("shapes", kinds=("c6i.2xlarge", "m6i.2xlarge"))
    assert world.run("check", CLUSTER).returncode == 0
    assert world.gate.calls["DescribeInstanceTypes"] == 0


def test_what_is_not_there_yet_or_with_eks_is_said_and_left(world: World) -> None:
    world.declare("planned", {"on_demand_base": 1})
    world.declare("system", capacity="ON_DEMAND")
    world.make("updating", {"on_demand_base": 1})
    groups = eks_backends[ACCOUNT][REGION].clusters[CLUSTER].nodegroups
    groups["updating-0a1b2c3d"].status = "UPDATING"
    for command in ("check", "apply"):
        done = world.run(command, CLUSTER)
        assert done.returncode == 0
        assert "planned: AWS has no node group planned-0a1b2c3d yet" in done.stderr
        assert "updating: EKS is at work on it" in done.stderr
        assert "2 spot node groups: 1 not made yet, 1 with EKS" in done.stderr
    assert world.shares("updating") == (0, 0)


def test_a_cluster_that_is_not_made_yet(world: World) -> None:
    world.declare("workers", {"on_demand_base": 1})
    world.eks.delete_cluster(name=CLUSTER)
    assert world.run("check", CLUSTER).returncode == 0
