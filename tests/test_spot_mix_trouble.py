"""The spot mix when AWS throttles, refuses, or the run is killed; and calls that are wrong."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from generators.source.workspace import Workspace
from tests.spot_aws import CLUSTER, World
from tests.spot_gate import serving

UPDATE = "UpdateAutoScalingGroup"
MANY = 55
"""AWS's quota is 30 node groups in a cluster; 50 Auto Scaling groups fill a page unless larger ones are asked for."""


@pytest.fixture
def world(workspace: Workspace) -> Iterator[World]:
    with serving() as (gate, url):
        yield World(workspace, gate, url)


def many(world: World) -> list[str]:
    keys = [f"workers-{number:02d}" for number in range(MANY)]
    for key in keys:
        world.make(key, {"on_demand_base": 2, "on_demand_percentage": 10})
    return keys


def test_over_fifty_groups_a_killed_run_and_its_completion(world: World) -> None:
    keys = many(world)
    world.gate.calls.clear()
    world.gate.hold_after = 20
    process = world.start("apply", CLUSTER)
    assert world.gate.held.wait(timeout=120)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    world.gate.hold_after = MANY * 2
    assert {world.shares(key) for key in keys[:20]} == {(2, 10)}
    assert {world.shares(key) for key in keys[20:]} == {(0, 0)}

    done = world.run("apply", CLUSTER)
    assert done.returncode == 0, done.stderr
    assert {world.shares(key) for key in keys} == {(2, 10)}
    world.gate.calls.clear()
    assert world.run("apply", CLUSTER).returncode == 0
    assert world.gate.calls == {
        "GetCallerIdentity": 1,
        "DescribeNodegroup": MANY,
        "DescribeAutoScalingGroups": 1,
        "DescribeInstanceTypes": 1,
    }


def test_each_group_that_differs_is_one_call(world: World) -> None:
    for key in ("a", "b", "c"):
        world.make(key, {"on_demand_base": 2, "weights": {"c6i.2xlarge": 1}}, rebalance=False)
    world.make("d")
    assert world.run("apply", CLUSTER).returncode == 0
    assert world.gate.calls[UPDATE] == 3


def test_throttling_is_waited_out(world: World) -> None:
    world.make("workers", {"on_demand_base": 2})
    world.gate.refuse = {
        "DescribeNodegroup": ("ThrottlingException", 2),
        "DescribeAutoScalingGroups": ("Throttling", 2),
        "DescribeInstanceTypes": ("RequestLimitExceeded", 2),
        UPDATE: ("Throttling", 2),
    }
    done = world.run("apply", CLUSTER)
    assert done.returncode == 0, done.stderr
    assert world.gate.calls[UPDATE] == world.gate.calls["DescribeNodegroup"] == 3
    assert world.shares("workers") == (2, 0)


def test_a_group_that_aws_refuses_does_not_hold_up_the_others(world: World) -> None:
    for key in ("first", "second"):
        world.make(key, {"on_demand_base": 2})
    world.gate.refuse = {UPDATE: ("AccessDenied", 1)}
    done = world.run("apply", CLUSTER)
    assert done.returncode == 2
    assert f"error: AWS UpdateAutoScalingGroup: {world.name('first')}: AccessDenied" in done.stderr
    assert [world.shares(key) for key in ("first", "second")] == [(0, 0), (2, 0)]


def test_credentials_of_another_account(world: World) -> None:
    world.make("workers", {"on_demand_base": 2})
    world.facts["account_id"] = "999999999999"
    world.declare("workers", {"on_demand_base": 2})
    done = world.run("apply", CLUSTER)
    assert done.returncode == 2
    assert "account_id: the credentials at hand are of account 123456789012, demo lives in 999999999999" in done.stderr
    assert set(world.gate.calls) == {"GetCallerIdentity"}


def test_no_credentials(world: World) -> None:
    world.declare("workers")
    done = world.run("check", CLUSTER, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert done.returncode == 2
    assert "error: AWS: no credentials\nhint: " in done.stderr


def test_an_unknown_cluster(world: World) -> None:
    done = world.run("check", "dmo")
    assert done.returncode == 2
    assert "there is no cluster `dmo`\nhint: did you mean `demo`?" in done.stderr


def test_the_help_says_what_aws_says(world: World) -> None:
    assert "AWS does not support this edit" in " ".join(world.run("--help").stdout.split())
