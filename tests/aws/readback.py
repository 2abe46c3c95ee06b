"""What a cluster's file asks for, found again in AWS by boto3."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.aws.checkout import Checkout

CLUSTER_ADMIN = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
CAPACITY = {"spot": "SPOT", "on-demand": "ON_DEMAND"}


def network(checkout: Checkout) -> None:
    """VPC, subnets, and the ways out."""
    said, ec2, region = checkout.said["network"], checkout.client("ec2"), checkout.facts["region"]
    here = [{"Name": "tag:cluster", "Values": [checkout.name]}]
    (vpc,) = ec2.describe_vpcs(Filters=here)["Vpcs"]
    blocks = {each["CidrBlock"] for each in vpc["CidrBlockAssociationSet"]}
    assert blocks == {said["vpc_cidr"], *said.get("pod_cidrs", [])}
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["Subnets"]
    zones = [region + letter for letter in said["zones"]]
    kinds = ("kubernetes.io/role/elb", "kubernetes.io/role/internal-elb", "kubernetes.io/role/cni")
    for kind, count in zip(kinds, (1, 1, len(said.get("pod_cidrs", []))), strict=True):
        found = [each for each in subnets if any(tag["Key"] == kind for tag in each["Tags"])]
        assert sorted(each["AvailabilityZone"] for each in found) == sorted(zones * count), kind
    gateways = ec2.describe_nat_gateways(Filters=here)["NatGateways"]
    assert len(gateways) == (1 if said.get("nat") == "single" else len(zones))
    assert bool(ec2.describe_flow_logs()["FlowLogs"]) == said.get("flow_logs", False)


def control_plane(checkout: Checkout) -> None:
    """The EKS cluster: version, reach, encryption, administrators, add-ons."""
    said, eks = checkout.said, checkout.client("eks")
    cluster = eks.describe_cluster(name=checkout.name)["cluster"]
    assert cluster["status"] == "ACTIVE"
    assert cluster["version"] == said["kubernetes"]
    cidrs = said["access"].get("api_cidrs", [])
    assert cluster["resourcesVpcConfig"]["endpointPrivateAccess"]
    assert cluster["resourcesVpcConfig"]["endpointPublicAccess"] == bool(cidrs)
    assert cluster["resourcesVpcConfig"]["publicAccessCidrs"] == cidrs
    assert [each["resources"] for each in cluster["encryptionConfig"]] == [["secrets"]]
    assert cluster["logging"]["clusterLogging"][0]["enabled"]
    account = checkout.facts["account_id"]
    admins = {f"arn:aws:iam::{account}:role/{name}" for name in said["access"]["admins"]}
    submit = said["apps"].get("gpu-inference", {}).get("submit", {})
    submitters = {f"arn:aws:iam::{account}:role/{name}" for name in submit.get("roles", [])}
    entries = set(eks.list_access_entries(clusterName=checkout.name)["accessEntries"])
    # EKS adds the nodes' role; whoever ran Terraform is not among them.
    assert entries == admins | submitters | {f"arn:aws:iam::{account}:role/{checkout.name}-node"}
    for each in submitters:
        entry = eks.describe_access_entry(clusterName=checkout.name, principalArn=each)["accessEntry"]
        assert entry["kubernetesGroups"] == ["inference-fleet:submitters"]
    for admin in admins:
        found = eks.list_associated_access_policies(clusterName=checkout.name, principalArn=admin)
        assert [each["policyArn"] for each in found["associatedAccessPolicies"]] == [CLUSTER_ADMIN]
    addons = {"eks-node-monitoring-agent", "kube-proxy", "vpc-cni"}
    assert set(eks.list_addons(clusterName=checkout.name)["addons"]) == addons
    for name in addons:
        assert eks.describe_addon(clusterName=checkout.name, addonName=name)["addon"]["status"] == "ACTIVE"


def scaling_group(checkout: Checkout, key: str) -> Any:
    """The Auto Scaling group of a node group, by the cluster file's key."""
    eks, named = checkout.client("eks"), checkout.facts["node_groups"][key]["name"]
    group = eks.describe_nodegroup(clusterName=checkout.name, nodegroupName=named)["nodegroup"]
    name = group["resources"]["autoScalingGroups"][0]["name"]
    client = checkout.client("autoscaling")
    return client.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]


def shares(checkout: Checkout, key: str) -> tuple[int, int]:
    """On-demand base and percentage of a node group."""
    held = scaling_group(checkout, key)["MixedInstancesPolicy"]["InstancesDistribution"]
    return held["OnDemandBaseCapacity"], held["OnDemandPercentageAboveBaseCapacity"]


def node_groups(checkout: Checkout) -> None:
    """Each group as EKS has it, the Auto Scaling group behind it, and what cluster-autoscaler reads there."""
    eks = checkout.client("eks")
    for key, said in checkout.said["node_groups"].items():
        named = checkout.facts["node_groups"][key]["name"]
        group = eks.describe_nodegroup(clusterName=checkout.name, nodegroupName=named)["nodegroup"]
        assert re.fullmatch(rf"{key}-[0-9a-f]{{8}}", named)
        assert group["capacityType"] == CAPACITY[said["capacity"]]
        assert group["instanceTypes"] == said["instance_types"]
        assert (group["scalingConfig"]["minSize"], group["scalingConfig"]["maxSize"]) == (said["min"], said["max"])
        assert len(group["subnets"]) == len(checkout.said["network"]["zones"])
        assert group["amiType"].endswith("_NVIDIA") == ("gpu" in said)
        asg = scaling_group(checkout, key)
        overrides = asg["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"]
        assert [each["InstanceType"] for each in overrides] == said["instance_types"]
        mix = said.get("mix", {})
        spot = (mix.get("on_demand_base", 0), mix.get("on_demand_percentage", 0))
        assert shares(checkout, key) == (spot if said["capacity"] == "spot" else (0, 100))
        tags = {each["Key"]: each["Value"] for each in asg["Tags"]}
        assert tags["k8s.io/cluster-autoscaler/node-template/label/inference-fleet/node-group"] == key
    assert len(eks.list_nodegroups(clusterName=checkout.name)["nodegroups"]) == len(checkout.said["node_groups"])


def storage(checkout: Checkout) -> None:
    """The bucket."""
    s3, facts = checkout.client("s3"), checkout.facts
    bucket = f"{checkout.name}-{facts['account_id']}-{facts['region']}"
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    closed = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert all(closed.values())
    assert len(closed) == 4
    rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    asked = rule["ApplyServerSideEncryptionByDefault"]
    alias = checkout.client("kms").describe_key(KeyId=f"alias/{checkout.name}-storage")["KeyMetadata"]
    assert (asked["SSEAlgorithm"], asked["KMSMasterKeyID"]) == ("aws:kms", alias["Arn"])


def registry(checkout: Checkout) -> None:
    """The repository that pods name, and what ends in it."""
    ecr, name = checkout.client("ecr"), f"{checkout.name}/inference-worker"
    (found,) = ecr.describe_repositories(repositoryNames=[name])["repositories"]
    assert found["imageTagMutability"] == "IMMUTABLE"
    assert found["imageScanningConfiguration"] == {"scanOnPush": True}
    policy = json.loads(ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"])
    assert [rule["selection"]["tagStatus"] for rule in policy["rules"]] == ["untagged"]


def database(checkout: Checkout) -> None:
    """RDS as asked, behind the nodes' security group, and a secret with which a client gets in."""
    said, rds = checkout.said["storage"], checkout.client("rds")
    (found,) = rds.describe_db_instances()["DBInstances"]
    assert found["DBInstanceClass"] == said["database"]["instance_class"]
    assert found["MultiAZ"] == said["database"].get("multi_az", True)
    assert found["AllocatedStorage"] == said["database"].get("storage_gb", 50)
    assert found["DeletionProtection"] != said.get("deletable", False)
    group = found["DBParameterGroups"][0]["DBParameterGroupName"]
    parameters = rds.describe_db_parameters(DBParameterGroupName=group, Source="user")["Parameters"]
    values = {each["ParameterName"]: each["ParameterValue"] for each in parameters}
    assert values["authentication_policy"] == "*:mysql_native_password"
    secret = checkout.facts["storage"]["database"]["secret"]
    held = json.loads(checkout.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"])
    assert (held["host"], held["port"]) == (found["Endpoint"]["Address"], found["Endpoint"]["Port"])
    assert held["username"] == found["MasterUsername"]
    assert len(held["password"]) == 40
    assert held["version"] == str(said["database"].get("password_version", 1))
    nodes = checkout.client("eks").describe_cluster(name=checkout.name)["cluster"]["resourcesVpcConfig"]
    asked = [{"Name": "group-id", "Values": [found["VpcSecurityGroups"][0]["VpcSecurityGroupId"]]}]
    rules = checkout.client("ec2").describe_security_group_rules(Filters=asked)["SecurityGroupRules"]
    doors = [(each["FromPort"], each["ReferencedGroupInfo"]["GroupId"]) for each in rules if not each["IsEgress"]]
    assert doors == [(3306, nodes["clusterSecurityGroupId"])]


def pages(checkout: Checkout) -> None:
    """The load balancer: login first, then the page; the nodes of the system groups serve it, a name leads to it."""
    elbv2, route53 = checkout.client("elbv2"), checkout.client("route53")
    (balancer,) = elbv2.describe_load_balancers()["LoadBalancers"]
    listeners = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    https = next(each for each in listeners if each["Port"] == 443)
    rules = elbv2.describe_rules(ListenerArn=https["ListenerArn"])["Rules"]
    hosts, actions = zip(
        *(
            (each["Conditions"][0]["HostHeaderConfig"]["Values"], [act["Type"] for act in each["Actions"]])
            for each in rules
            if each["Priority"] != "default"
        ),
        strict=True,
    )
    domain = checkout.facts["access"]["domain"]
    names = [f"{host}.{domain}" for host in ("argocd", "pipelines")]
    assert sorted(hosts) == [[name] for name in names]
    assert list(actions) == [["authenticate-cognito", "forward"]] * len(names)
    targets = {each["TargetGroupArn"] for each in elbv2.describe_target_groups()["TargetGroups"]}
    assert len(targets) == len(names)
    groups = checkout.said["node_groups"]
    serving = {key for key in groups if targets <= set(scaling_group(checkout, key)["TargetGroupARNs"])}
    assert serving == {key for key, group in groups.items() if group.get("role") == "system"}
    zone = route53.list_hosted_zones()["HostedZones"][0]["Id"]
    records = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    aliases = {each["Name"]: each["AliasTarget"]["DNSName"] for each in records if each["Type"] == "A"}
    assert {key.rstrip("."): value.rstrip(".") for key, value in aliases.items()} == dict.fromkeys(
        names, balancer["DNSName"]
    )


def monitoring(checkout: Checkout) -> None:
    """Who hears of alarms, and the month's budget."""
    said = checkout.said["monitoring"]
    subscriptions = checkout.client("sns").list_subscriptions()["Subscriptions"]
    assert {each["Endpoint"] for each in subscriptions} == set(said["alarm_emails"])
    (budget,) = checkout.client("budgets").describe_budgets(AccountId=checkout.facts["account_id"])["Budgets"]
    assert float(budget["BudgetLimit"]["Amount"]) == said["budget_usd"]
    alarms = checkout.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert alarms
    (topic,) = checkout.client("sns").list_topics()["Topics"]
    assert all(each["AlarmActions"] == [topic["TopicArn"]] for each in alarms)
