"""What tests/aws adds to moto: it refuses what AWS refuses, tells back what it keeps, and makes what EKS makes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.aws.server import serving

ACCOUNT = "111122223333"
POLICY = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
MIXED = {"capacityType": "SPOT", "instanceTypes": ["m5.large", "m6i.large"]}


class Aws:
    """Clients of one server, with two clusters, `new` and `old`, and what they need."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.eks, ec2, iam = (self.client(service) for service in ("eks", "ec2", "iam"))
        self.ec2: Any = ec2
        self.role = iam.create_role(RoleName="node", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
            for number, zone in enumerate(("ap-northeast-1a", "ap-northeast-1c"))
        ]
        template = ec2.create_launch_template(LaunchTemplateName="ours", LaunchTemplateData={"KeyName": "ours"})
        self.template = template["LaunchTemplate"]["LaunchTemplateId"]
        self.make_cluster("new", accessConfig={"authenticationMode": "API"})
        self.make_cluster("old")

    def client(self, service: str) -> Any:
        session: Any = boto3.Session("test", "test", region_name="ap-northeast-1")
        return session.client(service, endpoint_url=self.url)

    def make_cluster(self, name: str, **asked: Any) -> Any:
        given = {"version": "1.35", "roleArn": self.role, "resourcesVpcConfig": {"subnetIds": self.subnets}}
        return self.eks.create_cluster(name=name, **{**given, **asked})["cluster"]

    def make_group(self, name: str, **asked: Any) -> Any:
        given = {"clusterName": "new", "nodeRole": self.role, "subnets": self.subnets, "instanceTypes": ["m5.large"]}
        return self.eks.create_nodegroup(nodegroupName=name, **{**given, **asked})["nodegroup"]

    def scaling_group(self, name: str, cluster: str = "new") -> Any:
        group = self.eks.describe_nodegroup(clusterName=cluster, nodegroupName=name)["nodegroup"]
        names = [each["name"] for each in group["resources"]["autoScalingGroups"]]
        found = self.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=names)
        return found["AutoScalingGroups"][0]


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with serving(ACCOUNT) as url:
        yield Aws(url)


REFUSALS: list[tuple[str, dict[str, Any], str]] = [
    ("describe_cluster", {"name": "none"}, "ResourceNotFoundException"),
    ("describe_nodegroup", {"clusterName": "none", "nodegroupName": "g"}, "ResourceNotFoundException"),
    ("describe_nodegroup", {"clusterName": "new", "nodegroupName": "g"}, "ResourceNotFoundException"),
    ("describe_addon", {"clusterName": "new", "addonName": "vpc-cni"}, "ResourceNotFoundException"),
    ("describe_addon_versions", {"addonName": "none"}, "ResourceNotFoundException"),
    ("describe_update", {"name": "new", "updateId": "none"}, "ResourceNotFoundException"),
    ("list_tags_for_resource", {"resourceArn": "arn:aws:eks:none"}, "NotFoundException"),
    ("create_addon", {"clusterName": "new", "addonName": "none"}, "InvalidParameterException"),
    (
        "create_addon",
        {"clusterName": "new", "addonName": "vpc-cni", "addonVersion": "v0.0.1-eksbuild.1"},
        "InvalidParameterException",
    ),
    (
        "create_addon",
        {"clusterName": "new", "addonName": "vpc-cni", "configurationValues": "no json"},
        "InvalidParameterException",
    ),
    (
        "create_addon",
        {"clusterName": "new", "addonName": "vpc-cni", "configurationValues": '{"enableNetworkPolicy": true}'},
        "InvalidParameterException",
    ),
    (
        "create_addon",
        {"clusterName": "new", "addonName": "vpc-cni", "configurationValues": '{"env": {"WARM_ENI_TARGET": null}}'},
        "InvalidParameterException",
    ),
    (
        "create_addon",
        {"clusterName": "new", "addonName": "vpc-cni", "resolveConflicts": "PERHAPS"},
        "InvalidParameterException",
    ),
    ("update_cluster_version", {"name": "new", "version": "1.37"}, "InvalidParameterException"),
    ("update_cluster_version", {"name": "new", "version": "1.34"}, "InvalidParameterException"),
    (
        "update_cluster_config",
        {"name": "new", "accessConfig": {"authenticationMode": "CONFIG_MAP"}},
        "InvalidParameterException",
    ),
    ("list_access_entries", {"clusterName": "old"}, "InvalidRequestException"),
    (
        "create_access_entry",
        {"clusterName": "new", "principalArn": f"arn:aws:iam::{ACCOUNT}:role/none"},
        "InvalidParameterException",
    ),
    ("list_fargate_profiles", {"clusterName": "new"}, "NotImplemented"),
]


@pytest.mark.parametrize(("call", "asked", "code"), REFUSALS)
def test_what_eks_refuses(aws: Aws, call: str, asked: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(aws.eks, call)(**asked)
    assert caught.value.response["Error"]["Code"] == code


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"nodeRole": f"arn:aws:iam::{ACCOUNT}:role/none"}, "could not be found"),
        ({"subnets": ["subnet-none"]}, "not of the cluster's VPC"),
        ({"scalingConfig": {"minSize": 2, "maxSize": 1, "desiredSize": 2}}, "desired size"),
        ({"updateConfig": {"maxUnavailable": 1, "maxUnavailablePercentage": 10}}, "either"),
        ({"version": "1.36"}, "ahead of the cluster's"),
        ({"launchTemplate": {"id": "lt-none"}}, "launch template"),
        ({"launchTemplate": {"name": "ours"}, "diskSize": 20}, "diskSize"),
        ({"launchTemplate": {"name": "ours"}, "instanceTypes": []}, "instance types"),
        ({"taints": [{"key": "a", "effect": "NoSchedule"}]}, "NoSchedule"),
        ({"labels": {"a": "b" * 64}}, "more than 63"),
    ],
)
def test_what_a_node_group_may_not_be(aws: Aws, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(ClientError, match=said) as caught:
        aws.make_group("refused", **asked)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterException"


SCOPE = {"accessScope": {"type": "cluster"}}


@pytest.mark.parametrize(("body", "said"), [({}, "accessScope"), ({**SCOPE, "colour": "red"}, "colour")])
def test_a_request_of_another_shape_is_refused(aws: Aws, body: dict[str, Any], said: str) -> None:
    """By hand: boto3 would not send what lacks a member or has one more."""
    asked = HTTPConnection(aws.url.removeprefix("http://"))
    entry = f"/clusters/new/access-entries/{aws.role.replace('/', '%2F')}"
    signed = "AWS4-HMAC-SHA256 Credential=test/20260101/ap-northeast-1/eks/aws4_request"
    headers = {"Authorization": signed, "Content-Type": "application/json"}
    asked.request("POST", f"{entry}/access-policies", json.dumps({"policyArn": POLICY, **body}), headers)
    answer = asked.getresponse()
    assert answer.status == 400
    assert said in answer.read().decode()


def test_names_are_taken_once(aws: Aws) -> None:
    aws.make_group("twice")
    aws.eks.create_addon(clusterName="new", addonName="kube-proxy", resolveConflicts="OVERWRITE")
    for call, asked in (
        (aws.make_cluster, {"name": "new"}),
        (aws.make_group, {"name": "twice"}),
        (aws.eks.create_addon, {"clusterName": "new", "addonName": "kube-proxy"}),
        (aws.eks.create_access_entry, {"clusterName": "new", "principalArn": aws.role}),
    ):
        with pytest.raises(aws.eks.exceptions.ResourceInUseException):
            call(**asked)


def test_a_cluster_with_node_groups_stays(aws: Aws) -> None:
    aws.make_cluster("busy")
    aws.make_group("last", clusterName="busy")
    with pytest.raises(aws.eks.exceptions.ResourceInUseException):
        aws.eks.delete_cluster(name="busy")
    aws.eks.delete_nodegroup(clusterName="busy", nodegroupName="last")
    aws.eks.delete_cluster(name="busy")
    assert "busy" not in aws.eks.list_clusters()["clusters"]


def test_a_cluster_is_made_with_its_issuer_its_group_and_its_defaults(aws: Aws) -> None:
    made = aws.make_cluster("plain")
    assert made["status"] == "CREATING"
    told = aws.eks.describe_cluster(name="plain")["cluster"]
    assert told["status"] == "ACTIVE"
    assert told["accessConfig"]["authenticationMode"] == "CONFIG_MAP"
    assert told["resourcesVpcConfig"]["publicAccessCidrs"] == ["0.0.0.0/0"]
    other = aws.eks.describe_cluster(name="new")["cluster"]
    assert told["identity"]["oidc"]["issuer"] != other["identity"]["oidc"]["issuer"]
    group = told["resourcesVpcConfig"]["clusterSecurityGroupId"]
    tags = aws.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["Tags"]
    assert {"Key": "kubernetes.io/cluster/plain", "Value": "owned"} in tags


def test_an_addon_on_top_of_what_runs_already_must_be_told_to_overwrite(aws: Aws) -> None:
    aws.make_cluster("addons")
    aws.eks.create_addon(clusterName="addons", addonName="vpc-cni")
    assert aws.eks.describe_addon(clusterName="addons", addonName="vpc-cni")["addon"]["status"] == "CREATE_FAILED"


def test_a_node_group_gets_an_auto_scaling_group_as_eks_makes_it(aws: Aws) -> None:
    group = aws.make_group("spot", launchTemplate={"id": aws.template}, **MIXED)
    assert "remoteAccess" not in group
    assert group["launchTemplate"] == {"id": aws.template, "name": "ours", "version": "1"}
    made = aws.scaling_group("spot")
    uuid = group["nodegroupArn"].rsplit("/", 1)[1]
    assert made["AutoScalingGroupName"] == f"eks-spot-{uuid}"
    assert made["CapacityRebalance"] is True
    policy = made["MixedInstancesPolicy"]
    template = policy["LaunchTemplate"]["LaunchTemplateSpecification"]
    assert (template["LaunchTemplateName"], template["Version"]) == (f"eks-{uuid}", "1")
    assert [each["InstanceType"] for each in policy["LaunchTemplate"]["Overrides"]] == MIXED["instanceTypes"]
    assert policy["InstancesDistribution"] == {
        "OnDemandAllocationStrategy": "prioritized",
        "OnDemandBaseCapacity": 0,
        "OnDemandPercentageAboveBaseCapacity": 0,
        "SpotAllocationStrategy": "price-capacity-optimized",
    }


@pytest.mark.parametrize("call", ["update_nodegroup_config", "update_nodegroup_version"])
def test_an_update_writes_the_auto_scaling_group_anew(aws: Aws, call: str) -> None:
    name = call.replace("_", "-")
    aws.make_group(name, **MIXED)
    made = aws.scaling_group(name)
    asked = {"InstancesDistribution": {"OnDemandBaseCapacity": 3}}
    autoscaling = aws.client("autoscaling")
    autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=made["AutoScalingGroupName"], MixedInstancesPolicy=asked, CapacityRebalance=False
    )
    edited = aws.scaling_group(name)
    assert edited["MixedInstancesPolicy"]["InstancesDistribution"]["OnDemandBaseCapacity"] == 3
    assert edited["MixedInstancesPolicy"]["LaunchTemplate"] == made["MixedInstancesPolicy"]["LaunchTemplate"]
    assert edited["CapacityRebalance"] is False
    update = getattr(aws.eks, call)(clusterName="new", nodegroupName=name)["update"]
    assert update["status"] == "InProgress"
    told = aws.eks.describe_update(name="new", updateId=update["id"], nodegroupName=name)["update"]
    assert told["status"] == "Successful"
    again = aws.scaling_group(name)
    assert again["MixedInstancesPolicy"]["InstancesDistribution"]["OnDemandBaseCapacity"] == 0
    assert again["MixedInstancesPolicy"]["LaunchTemplate"]["LaunchTemplateSpecification"]["Version"] == "2"
    assert again["CapacityRebalance"] is True


def test_policies_of_an_access_entry(aws: Aws) -> None:
    aws.client("iam").create_role(RoleName="Viewer", AssumeRolePolicyDocument="{}")
    who = {"clusterName": "new", "principalArn": f"arn:aws:iam::{ACCOUNT}:role/Viewer"}
    entry = aws.eks.create_access_entry(**who)["accessEntry"]
    assert entry["type"] == "STANDARD"
    aws.eks.associate_access_policy(**who, policyArn=POLICY, accessScope={"type": "cluster"})
    with pytest.raises(aws.eks.exceptions.InvalidParameterException):
        aws.eks.associate_access_policy(**who, policyArn=POLICY, accessScope={"type": "namespace"})
    policies = aws.eks.list_associated_access_policies(**who)["associatedAccessPolicies"]
    assert [each["policyArn"] for each in policies] == [POLICY]
    aws.eks.disassociate_access_policy(**who, policyArn=POLICY)
    assert aws.eks.list_associated_access_policies(**who)["associatedAccessPolicies"] == []


def test_other_services_too_are_held_against_their_models(aws: Aws) -> None:
    secrets = aws.client("secretsmanager")
    with pytest.raises(ClientError, match="more than 512"):
        secrets.create_secret(Name="x" * 513)
    assert secrets.list_secrets()["SecretList"] == []
    iam = aws.client("iam")
    with pytest.raises(ClientError, match="more than 64"):
        iam.create_role(RoleName="x" * 65, AssumeRolePolicyDocument="{}")
    with pytest.raises(ClientError, match="none of"):
        aws.ec2.create_volume(AvailabilityZone="ap-northeast-1a", Size=1, VolumeType="gp4")


def test_what_their_models_allow_passes(aws: Aws) -> None:
    budgets, about = aws.client("budgets"), {"AccountId": ACCOUNT, "BudgetName": "month"}
    limit = {"BudgetLimit": {"Amount": "10", "Unit": "USD"}, "BudgetType": "COST", "TimeUnit": "MONTHLY"}
    budgets.create_budget(AccountId=ACCOUNT, Budget={"BudgetName": "month", **limit})
    notice = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80.5}
    who = [{"SubscriptionType": "EMAIL", "Address": "oncall@example.com"}]
    budgets.create_notification(**about, Notification=notice, Subscribers=who)
    assert len(budgets.describe_notifications_for_budget(**about)["Notifications"]) == 1
    with pytest.raises(ClientError, match="is more than"):
        budgets.create_notification(**about, Notification=notice | {"Threshold": 1e14}, Subscribers=who)


def test_a_security_group_rule_takes_no_apostrophe(aws: Aws) -> None:
    group = aws.ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
    asked = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    for text in ("AWS's", "x" * 256):
        blocks = [{"CidrIp": "10.0.0.0/8", "Description": text}]
        with pytest.raises(ClientError, match="InvalidParameterValue"):
            aws.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[asked | {"IpRanges": blocks}])
