"""All that is in an account of moto, by names and ids, to be compared before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.aws.checkout import Checkout

GONE = {"deleted", "deleting", "shutting-down", "terminated", "PendingDeletion"}
"""States of what is listed for a while after it went. KMS keeps a key for days, in which it can be had back."""
EC2 = {
    "describe_addresses": ("Addresses", "AllocationId"),
    "describe_flow_logs": ("FlowLogs", "FlowLogId"),
    "describe_internet_gateways": ("InternetGateways", "InternetGatewayId"),
    "describe_launch_templates": ("LaunchTemplates", "LaunchTemplateId"),
    "describe_nat_gateways": ("NatGateways", "NatGatewayId"),
    "describe_network_interfaces": ("NetworkInterfaces", "NetworkInterfaceId"),
    "describe_route_tables": ("RouteTables", "RouteTableId"),
    "describe_security_groups": ("SecurityGroups", "GroupId"),
    "describe_subnets": ("Subnets", "SubnetId"),
    "describe_volumes": ("Volumes", "VolumeId"),
    "describe_vpc_endpoints": ("VpcEndpoints", "VpcEndpointId"),
    "describe_vpcs": ("Vpcs", "VpcId"),
}
IAM = {
    "list_instance_profiles": ("InstanceProfiles", "Arn"),
    "list_open_id_connect_providers": ("OpenIDConnectProviderList", "Arn"),
    "list_policies": ("Policies", "Arn"),
    "list_roles": ("Roles", "Arn"),
    "list_users": ("Users", "Arn"),
}
RDS = {
    "describe_db_instances": ("DBInstances", "DBInstanceArn"),
    "describe_db_parameter_groups": ("DBParameterGroups", "DBParameterGroupArn"),
    "describe_db_snapshots": ("DBSnapshots", "DBSnapshotArn"),
    "describe_db_subnet_groups": ("DBSubnetGroups", "DBSubnetGroupArn"),
}
LISTS: dict[str, dict[str, tuple[str, str]]] = {
    "acm": {"list_certificates": ("CertificateSummaryList", "CertificateArn")},
    "autoscaling": {"describe_auto_scaling_groups": ("AutoScalingGroups", "AutoScalingGroupName")},
    "cloudwatch": {
        "describe_alarms": ("MetricAlarms", "AlarmArn"),
        "list_dashboards": ("DashboardEntries", "DashboardArn"),
    },
    "ec2": EC2,
    "ecr": {"describe_repositories": ("repositories", "repositoryArn")},
    "elbv2": {
        "describe_load_balancers": ("LoadBalancers", "LoadBalancerArn"),
        "describe_target_groups": ("TargetGroups", "TargetGroupArn"),
    },
    "iam": IAM,
    "logs": {"describe_log_groups": ("logGroups", "arn")},
    "rds": RDS,
    "route53": {"list_hosted_zones": ("HostedZones", "Id")},
    "s3": {"list_buckets": ("Buckets", "Name")},
    "secretsmanager": {"list_secrets": ("SecretList", "Name")},
    "sns": {
        "list_subscriptions": ("Subscriptions", "SubscriptionArn"),
        "list_topics": ("Topics", "TopicArn"),
    },
}
"""Service to its calls, each with the list in its answer and the name of a thing there."""


def state(thing: dict[str, Any]) -> str:
    """State or status, however the service writes it."""
    said = thing.get("State", thing.get("Status", ""))
    return str(said.get("Name", "") if isinstance(said, dict) else said)


def listed(client: Any, call: str, key: str, name: str) -> Iterator[str]:
    """Names of what exists, all pages of it."""
    scope = {"Scope": "Local"} if call == "list_policies" else {}
    for page in (
        client.get_paginator(call).paginate(**scope) if client.can_paginate(call) else [getattr(client, call)()]
    ):
        yield from (str(each[name]) for each in page[key] if state(each) not in GONE)


def instances(client: Any) -> Iterator[str]:
    """EC2 instances that run or stand."""
    for reservation in client.describe_instances()["Reservations"]:
        yield from (each["InstanceId"] for each in reservation["Instances"] if state(each) not in GONE)


def keys(client: Any) -> Iterator[str]:
    """KMS keys, and their names; without those of AWS's own services, which stay with the account."""
    aliases = client.list_aliases()["Aliases"]
    aws = {each.get("TargetKeyId") for each in aliases if each["AliasName"].startswith("alias/aws/")}
    for each in client.list_keys()["Keys"]:
        if client.describe_key(KeyId=each["KeyId"])["KeyMetadata"]["KeyState"] not in GONE:
            yield from {each["KeyId"]} - aws
    yield from (each["AliasName"] for each in aliases if not each["AliasName"].startswith("alias/aws/"))


def clusters(client: Any) -> Iterator[str]:
    """EKS clusters with what belongs to each."""
    for name in client.list_clusters()["clusters"]:
        yield name
        yield from (f"{name}/{each}" for each in client.list_nodegroups(clusterName=name)["nodegroups"])
        yield from (f"{name}/{each}" for each in client.list_addons(clusterName=name)["addons"])
        yield from (f"{name}/{each}" for each in client.list_access_entries(clusterName=name)["accessEntries"])


def records(client: Any) -> Iterator[str]:
    """DNS records of all zones."""
    for zone in client.list_hosted_zones()["HostedZones"]:
        found = client.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
        yield from (f"{each['Type']} {each['Name']}" for each in found)


def rules(client: Any) -> Iterator[str]:
    """Listeners and rules of all load balancers."""
    for balancer in client.describe_load_balancers()["LoadBalancers"]:
        for listener in client.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]:
            yield listener["ListenerArn"]
            found = client.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
            yield from (each["RuleArn"] for each in found)


def pools(client: Any) -> Iterator[str]:
    """Cognito's user pools and their clients."""
    for pool in client.list_user_pools(MaxResults=60)["UserPools"]:
        yield pool["Id"]
        found = client.list_user_pool_clients(UserPoolId=pool["Id"])["UserPoolClients"]
        yield from (each["ClientId"] for each in found)


NESTED: dict[str, Callable[[Any], Iterator[str]]] = {
    "cognito-idp": pools,
    "ec2": instances,
    "eks": clusters,
    "elbv2": rules,
    "kms": keys,
    "route53": records,
}


def inventory(checkout: Checkout) -> set[str]:
    """Everything that there is, as `service: name`. What moto makes with an account is in it too."""
    found = set()
    for service, calls in LISTS.items():
        client = checkout.client(service)
        found |= {
            f"{service}: {each}" for call, (key, name) in calls.items() for each in listed(client, call, key, name)
        }
    for service, nested in NESTED.items():
        found |= {f"{service}: {each}" for each in nested(checkout.client(service))}
    budgets = checkout.client("budgets").describe_budgets(AccountId=checkout.facts["account_id"])["Budgets"]
    return found | {f"budgets: {each['BudgetName']}" for each in budgets}
