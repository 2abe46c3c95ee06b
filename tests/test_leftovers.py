"""What is left in AWS after a destroy, told by AWS's stand-in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from generators.source.workspace import Workspace
from scripts import leftovers
from scripts.target import Target
from tests.aws.server import serving
from tests.tiny_root import ACCOUNT, REGION

FACTS = {"account_id": ACCOUNT, "region": REGION, "storage": {"database": {"identifier": "demo-pipelines"}}}


@pytest.fixture
def target(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    with serving(ACCOUNT) as url:
        settings = {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        for key, value in (settings | {"AWS_CONFIG_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true"}).items():
            monkeypatch.setenv(key, value)
        yield Target(workspace, "demo", FACTS)


def tagged(kind: str, key: str, value: str) -> list[Any]:
    return [{"ResourceType": kind, "Tags": [{"Key": key, "Value": value}]}]


def test_names_what_is_there_and_not_what_is_gone_or_kept(target: Target) -> None:
    ec2: Any = target.session.client("ec2")
    ours, zone = ("cluster", "demo"), f"{REGION}a"
    owned = ("kubernetes.io/cluster/demo", "owned")
    volume = ec2.create_volume(AvailabilityZone=zone, Size=1, TagSpecifications=tagged("volume", *owned))["VolumeId"]
    other = ("kubernetes.io/cluster/other", "owned")
    ec2.create_volume(AvailabilityZone=zone, Size=1, TagSpecifications=tagged("volume", *other))
    image = ec2.describe_images()["Images"][0]["ImageId"]
    node = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, TagSpecifications=tagged("instance", *ours))
    ec2.terminate_instances(InstanceIds=[node["Instances"][0]["InstanceId"]])
    kms: Any = target.session.client("kms")
    going, kept = (kms.create_key(Tags=[{"TagKey": "cluster", "TagValue": "demo"}])["KeyMetadata"] for _ in range(2))
    kms.schedule_key_deletion(KeyId=going["KeyId"])
    logs: Any = target.session.client("logs")
    for name in ("/aws/eks/demo/cluster", "/aws/eks/demo-two/cluster", "/aws/rds/instance/demo-pipelines/error"):
        logs.create_log_group(logGroupName=name)
    balancer: Any = target.session.client("elbv2")
    subnets = [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"][:2]]
    made = balancer.create_load_balancer(
        Name="k8s-shop-web", Subnets=subnets, Tags=[{"Key": "elbv2.k8s.aws/cluster", "Value": "demo"}]
    )["LoadBalancers"][0]["LoadBalancerArn"]
    prefix = f"{REGION}:{ACCOUNT}"
    assert leftovers.find(target, {kept["Arn"]}) == sorted(
        [
            f"arn:aws:ec2:{prefix}:volume/{volume}",
            made,
            f"arn:aws:logs:{prefix}:log-group:/aws/eks/demo/cluster",
            f"arn:aws:logs:{prefix}:log-group:/aws/rds/instance/demo-pipelines/error",
        ]
    )


def test_does_not_name_what_terraform_holds(target: Target) -> None:
    ec2: Any = target.session.client("ec2")
    zone, ours = f"{REGION}a", ("cluster", "demo")
    by_id, by_arn, other = (
        ec2.create_volume(AvailabilityZone=zone, Size=1, TagSpecifications=tagged("volume", *ours))["VolumeId"]
        for _ in range(3)
    )
    prefix = f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume"
    held = [{"values": {"id": by_id}}, {"values": {"id": "x", "arn": f"{prefix}/{by_arn}"}}, {"values": {"id": None}}]
    assert leftovers.find(target, set(), held) == [f"{prefix}/{other}"]


def test_sweeps_the_cluster_s_interfaces_that_nothing_uses(target: Target) -> None:
    ec2: Any = target.session.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]

    def interface(cluster: str) -> str:
        tags = tagged("network-interface", leftovers.INTERFACE_TAG, cluster)
        found = ec2.create_network_interface(SubnetId=subnet, TagSpecifications=tags)["NetworkInterface"]
        return str(found["NetworkInterfaceId"])

    stray, used, theirs = interface("demo"), interface("demo"), interface("other")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    node = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    ec2.attach_network_interface(NetworkInterfaceId=used, InstanceId=node, DeviceIndex=1)
    assert leftovers.sweep(target) == [stray]
    left = {each["NetworkInterfaceId"] for each in ec2.describe_network_interfaces()["NetworkInterfaces"]}
    assert {used, theirs} <= left
    assert stray not in left
    assert leftovers.sweep(target) == []
