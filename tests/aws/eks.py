"""What all operations of EKS here share: where clusters are kept, how names are looked up, tags, updates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import uuid4

from moto.core.utils import utcnow
from moto.ec2.models import EC2Backend, ec2_backends
from moto.iam.models import IAMBackend, iam_backends

from tests.aws.api import Api, Refused, Stored, answered


@dataclass
class Cluster:
    """A cluster as DescribeCluster has it, and what belongs to it by name."""

    said: Stored
    node_groups: dict[str, Stored] = field(default_factory=dict)
    addons: dict[str, Stored] = field(default_factory=dict)
    entries: dict[str, Stored] = field(default_factory=dict)
    policies: dict[str, dict[str, Stored]] = field(default_factory=lambda: defaultdict(dict))
    updates: dict[str, Stored] = field(default_factory=dict)

    def tagged(self) -> Iterator[Stored]:
        """All that have tags."""
        yield from (self.said, *self.node_groups.values(), *self.addons.values(), *self.entries.values())


STORE: dict[tuple[str, str], dict[str, Cluster]] = defaultdict(dict)
"""Account and region to clusters by name. The server runs in a process of its own, and ends with it."""


class Eks(Api):
    """EKS, without operations but those on tags and updates."""

    def __init__(self) -> None:
        super().__init__("eks")

    @property
    def clusters(self) -> dict[str, Cluster]:
        """Clusters of the caller's account and region."""
        return STORE[self.current_account, self.region]

    @property
    def ec2(self) -> EC2Backend:
        """Moto's EC2."""
        return ec2_backends[self.current_account][self.region]

    @property
    def iam(self) -> IAMBackend:
        """Moto's IAM."""
        return iam_backends[self.current_account][self.partition]

    @cached_property
    def cluster(self) -> Cluster:
        """The cluster that the request names. Raises ResourceNotFoundException."""
        cluster: Cluster = self.found(self.clusters, self.asked.get("clusterName") or self.asked["name"], "cluster")
        return cluster

    def found(self, among: dict[str, Any], name: str, kind: str) -> Any:
        """Raises ResourceNotFoundException for a name that is not among these."""
        if name not in among:
            raise Refused("ResourceNotFoundException", f"No {kind} found for name: {name}.")
        return among[name]

    def free(self, among: dict[str, Any], name: str, kind: str) -> None:
        """Raises ResourceInUseException for a name that is taken."""
        if name in among:
            raise Refused("ResourceInUseException", f"{kind} already exists with name {name}")

    def invalid(self, message: str, *, when: object = True) -> None:
        """Raises InvalidParameterException."""
        if when:
            raise Refused("InvalidParameterException", message)

    def role(self, arn: str) -> None:
        """Raises InvalidParameterException for a role that IAM does not have."""
        self.invalid(
            f"Role with arn: {arn}, could not be found", when=all(each.arn != arn for each in self.iam.get_roles())
        )

    def arn(self, kind: str, *parts: str) -> str:
        """ARN of a thing of EKS."""
        return f"arn:{self.partition}:eks:{self.region}:{self.current_account}:{'/'.join((kind, *parts))}"

    def updated(self, kind: str) -> Stored:
        """A change that EKS has begun; whoever asks again finds it done."""
        update: Stored = {"id": str(uuid4()), "type": kind, "createdAt": utcnow(), "errors": [], "params": []}
        self.cluster.updates[update["id"]] = update | {"status": "Successful"}
        return {"update": update | {"status": "InProgress"}}

    def admit(self, principal: str, kind: str) -> None:
        """An access entry that EKS makes itself."""
        name = self.cluster.said["name"]
        self.cluster.entries[principal] = {
            "accessEntryArn": self.arn("access-entry", name, principal.split(":", 5)[5], str(uuid4())),
            "clusterName": name,
            "createdAt": utcnow(),
            "kubernetesGroups": ["system:nodes"] if kind == "EC2_LINUX" else [],
            "modifiedAt": utcnow(),
            "principalArn": principal,
            "tags": {},
            "type": kind,
            "username": "system:node:{{EC2PrivateDNSName}}" if kind == "EC2_LINUX" else principal,
        }

    @answered
    def describe_update(self) -> Stored:
        return {"update": self.found(self.cluster.updates, self.asked["updateId"], "update")}

    def _tags(self) -> dict[str, str]:
        """Tags of the thing with the ARN that the request names. Raises NotFoundException."""
        for thing in (each for cluster in self.clusters.values() for each in cluster.tagged()):
            arn = next(thing[key] for key in ("nodegroupArn", "addonArn", "accessEntryArn", "arn") if key in thing)
            if arn == self.asked["resourceArn"]:
                tags: dict[str, str] = thing["tags"]
                return tags
        raise Refused("NotFoundException", "Resource was not found")

    @answered
    def tag_resource(self) -> Stored:
        self._tags().update(self.asked["tags"])
        return {}

    @answered
    def untag_resource(self) -> Stored:
        tags = self._tags()
        for key in self.asked["tagKeys"]:
            tags.pop(key, None)
        return {}

    @answered
    def list_tags_for_resource(self) -> Stored:
        return {"tags": self._tags()}
