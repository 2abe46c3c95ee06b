"""What of a cluster is left in AWS, by tags and names; and interfaces that would hold up the removal of its VPC."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

from scripts.target import Target, retries

INTERFACE_TAG = "cluster.k8s.amazonaws.com/name"
"""The VPC CNI's, on each interface that it makes."""
SWEEP_SECONDS = 30
GONE = {"deleted", "deleting", "terminated", "shutting-down", "PendingDeletion"}
"""States in which AWS still names a thing, and charges nothing."""
STILL_THERE = {
    "elastic-ip": ("describe_addresses", "allocation-id", "Addresses"),
    "instance": ("describe_instances", "instance-id", "Reservations"),
    "internet-gateway": ("describe_internet_gateways", "internet-gateway-id", "InternetGateways"),
    "natgateway": ("describe_nat_gateways", "nat-gateway-id", "NatGateways"),
    "network-interface": ("describe_network_interfaces", "network-interface-id", "NetworkInterfaces"),
    "route-table": ("describe_route_tables", "route-table-id", "RouteTables"),
    "security-group": ("describe_security_groups", "group-id", "SecurityGroups"),
    "security-group-rule": ("describe_security_group_rules", "security-group-rule-id", "SecurityGroupRules"),
    "snapshot": ("describe_snapshots", "snapshot-id", "Snapshots"),
    "subnet": ("describe_subnets", "subnet-id", "Subnets"),
    "volume": ("describe_volumes", "volume-id", "Volumes"),
    "vpc": ("describe_vpcs", "vpc-id", "Vpcs"),
    "vpc-endpoint": ("describe_vpc_endpoints", "vpc-endpoint-id", "VpcEndpoints"),
}
"""EC2's kinds, by the word in their ARNs: the call, filter and list that tell whether one is still there."""


def find(target: Target, kept: set[str], held: Iterable[dict[str, Any]] = ()) -> list[str]:
    """ARNs of what is left and still there, but for those `kept` on purpose; sorted.

    `held`: what Terraform holds yet, as it shows it; not among them.
    """
    arns = {arn for key, value in _tags(target) for arn in _tagged(target, key, value)} | set(_log_groups(target))
    ours = {each["values"].get(key) for each in held for key in ("arn", "id")}
    others = {arn for arn in arns - kept if not ours & {arn, arn.rpartition("/")[2]}}
    return sorted(arn for arn in others if _still_there(target, arn))


def _tags(target: Target) -> list[tuple[str, str]]:
    """Tags of Terraform, of Kubernetes' own controllers, of the VPC CNI and of the load balancer controller."""
    name = target.name
    return [
        ("cluster", name),
        (f"kubernetes.io/cluster/{name}", "owned"),
        (INTERFACE_TAG, name),
        ("elbv2.k8s.aws/cluster", name),
    ]


def _tagged(target: Target, key: str, value: str) -> Iterator[str]:
    client: Any = target.session.client("resourcegroupstaggingapi", config=retries())
    for page in client.get_paginator("get_resources").paginate(TagFilters=[{"Key": key, "Values": [value]}]):
        for each in page["ResourceTagMappingList"]:
            yield each["ResourceARN"]


def _log_groups(target: Target) -> Iterator[str]:
    """AWS makes these again, without tags, when something still writes to them."""
    client: Any = target.session.client("logs", config=retries())
    prefixes = [f"/aws/eks/{target.name}/", f"/aws/containerinsights/{target.name}/"]
    if database := target.facts["storage"]["database"]:
        prefixes.append(f"/aws/rds/instance/{database['identifier']}/")
    for prefix in prefixes:
        for page in client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix):
            for each in page["logGroups"]:
                yield each["arn"].removesuffix(":*")


def _still_there(target: Target, arn: str) -> bool:
    """AWS's list by tags lags behind by minutes, and names what is gone. What we cannot look at counts as there."""
    service, resource = arn.split(":", 5)[2::3]
    kind, _, identity = resource.partition("/")
    if service == "kms":
        kms: Any = target.session.client("kms", config=retries())
        return kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] not in GONE
    if service != "ec2" or kind not in STILL_THERE:
        return True
    call, filtered, listed = STILL_THERE[kind]
    ec2: Any = target.session.client("ec2", config=retries())
    found = getattr(ec2, call)(Filters=[{"Name": filtered, "Values": [identity]}])[listed]
    each = found[0]["Instances"][0] if found and kind == "instance" else found[0] if found else None
    return each is not None and _state(each) not in GONE


def _state(thing: dict[str, Any]) -> str:
    state = thing.get("State", "")
    return str(state["Name"] if isinstance(state, dict) else state)


@contextmanager
def sweeping(target: Target) -> Iterator[None]:
    """Removes, while the block runs, interfaces that nodes left behind.

    A node that goes while the VPC CNI attaches an interface leaves it: it holds a subnet and a security group, and
    Terraform would wait for these until its time is out.
    """
    over = Event()

    def work() -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        while not over.wait(SWEEP_SECONDS):
            try:
                sweep(target)
            except (BotoCoreError, ClientError):
                continue  # Terraform meets the same error, and tells it

    target.session  # noqa: B018 - made here, where an error of it is told
    thread = Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def sweep(target: Target) -> list[str]:
    """Removes the cluster's interfaces that nothing uses, once; their ids."""
    from botocore.exceptions import ClientError

    ec2 = target.session.client("ec2", config=retries())
    filters: Any = [
        {"Name": f"tag:{INTERFACE_TAG}", "Values": [target.name]},
        {"Name": "status", "Values": ["available"]},
    ]
    removed = []
    for page in ec2.get_paginator("describe_network_interfaces").paginate(Filters=filters):
        for each in page["NetworkInterfaces"]:
            try:
                ec2.delete_network_interface(NetworkInterfaceId=each["NetworkInterfaceId"])
            except ClientError:
                continue  # in use again, or already gone
            removed.append(each["NetworkInterfaceId"])
    return removed
