"""Managed node groups. What EKS makes for each is in eks_auto_scaling.py, the nodes' access entry is made here.

Whether EKS keeps hands off the instances distribution when it updates a group, AWS does not say. Here it is lost with
each update, the worse of the two.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from moto.core.exceptions import ServiceException
from moto.core.utils import utcnow

from tests.aws.api import Refused, Stored, answered
from tests.aws.eks_auto_scaling import Scaling

OPTIONAL = ("labels", "launchTemplate", "nodeRepairConfig", "taints", "updateConfig")
"""Members of a request that are told back as given; the others have defaults."""
NOT_IN_TEMPLATES = ("IamInstanceProfile", "HibernationOptions", "InstanceMarketOptions")
"""By the user guide, a node group's launch template must not hold them."""


class NodeGroups(Scaling):
    """Operations on managed node groups."""

    @property
    def group(self) -> Stored:
        """The node group that the request names. Raises ResourceNotFoundException."""
        group: Stored = self.found(self.cluster.node_groups, self.asked["nodegroupName"], "node group")
        return group

    @answered
    def create_nodegroup(self) -> Stored:
        asked, cluster = self.asked, self.cluster
        name = asked["nodegroupName"]
        self.free(cluster.node_groups, name, "NodeGroup")
        self.role(asked["nodeRole"])
        self._check_subnets()
        scaling = {"minSize": 1, "maxSize": 2, "desiredSize": 2} | asked.get("scalingConfig", {})
        self._check_sizes(scaling)
        self._check_unavailable(asked.get("updateConfig", {"maxUnavailable": 1}))
        identity = str(uuid4())
        group = {
            "amiType": asked.get("amiType", "AL2023_x86_64_STANDARD"),
            "capacityType": asked.get("capacityType", "ON_DEMAND"),
            "clusterName": asked["clusterName"],
            "createdAt": utcnow(),
            "health": {"issues": []},
            "instanceTypes": asked.get("instanceTypes", []),
            "labels": {},
            "modifiedAt": utcnow(),
            "nodegroupArn": self.arn("nodegroup", asked["clusterName"], name, identity),
            "nodegroupName": name,
            "nodeRole": asked["nodeRole"],
            "resources": {"autoScalingGroups": [{"name": f"eks-{name}-{identity}"}]},
            "scalingConfig": scaling,
            "status": "ACTIVE",
            "subnets": asked["subnets"],
            "tags": asked.get("tags", {}),
            "updateConfig": {"maxUnavailable": 1},
            **{key: asked[key] for key in OPTIONAL if key in asked},
            **self._versions(asked.get("version", cluster.said["version"]), asked.get("releaseVersion")),
        }
        self._check_template(group)
        cluster.node_groups[name] = group
        self.make(group)
        if cluster.said["accessConfig"]["authenticationMode"] != "CONFIG_MAP":
            self.admit(asked["nodeRole"], "EC2_LINUX")
        return {"nodegroup": group | {"status": "CREATING"}}

    def _check_subnets(self) -> None:
        known = {each.id for each in self.ec2.describe_subnets() if each.vpc_id == self.vpc}
        unknown = sorted(set(self.asked["subnets"]) - known)
        self.invalid(f"Subnets {unknown} are not of the cluster's VPC", when=unknown)

    @property
    def vpc(self) -> str:
        """The cluster's VPC."""
        return str(self.cluster.said["resourcesVpcConfig"]["vpcId"])

    def _check_sizes(self, scaling: dict[str, int]) -> None:
        fits = scaling["minSize"] <= scaling["desiredSize"] <= scaling["maxSize"]
        self.invalid(f"desired size is not between minimum and maximum: {scaling}", when=not fits)

    def _check_unavailable(self, update: Stored) -> None:
        both = {"maxUnavailable", "maxUnavailablePercentage"} <= set(update)
        self.invalid("either maxUnavailable or maxUnavailablePercentage", when=both)

    def _versions(self, version: Any, release: Any) -> Stored:
        """Raises InvalidParameterException for nodes newer than their control plane."""
        plane = self.cluster.said["version"]
        newer = int(version.split(".")[1]) > int(plane.split(".")[1])
        self.invalid(f"Nodegroup Kubernetes version {version} is ahead of the cluster's {plane}", when=newer)
        return {"version": version, "releaseVersion": release or f"{version}.0-20260101"}

    def _check_template(self, group: Stored) -> None:
        """Names the template as EKS does, by id and name; an instance type stands in one place only."""
        if "launchTemplate" not in group:
            group["diskSize"] = self.asked.get("diskSize", 20)
            group["instanceTypes"] = group["instanceTypes"] or ["t3.medium"]
            return
        alone = [key for key in ("diskSize", "remoteAccess") if key in self.asked]
        self.invalid(f"{alone} cannot be specified with a launch template", when=alone)
        given = group["launchTemplate"] = self._by_id(group["launchTemplate"])
        data = self.template_data(given)
        bad = [key for key in NOT_IN_TEMPLATES if data.get(key)]
        self.invalid(f"Launch template {given['id']} must not specify {bad}", when=bad)
        types = bool(group["instanceTypes"]) + bool(data.get("InstanceType"))
        self.invalid("instance types in the launch template, or in the request, and not in both", when=types != 1)

    def _by_id(self, given: Stored) -> Stored:
        try:
            found = self.ec2.describe_launch_templates(
                template_names=[given["name"]] if "name" in given else None,
                template_ids=[given["id"]] if "id" in given else None,
            )
        except ServiceException as error:
            raise Refused("InvalidParameterException", error.message) from None
        self.invalid(f"no launch template {given}", when=not found)
        version = given.get("version", str(found[0].default_version_number))
        return {"id": found[0].id, "name": found[0].name, "version": version}

    @answered
    def describe_nodegroup(self) -> Stored:
        return {"nodegroup": self.group}

    @answered
    def list_nodegroups(self) -> Stored:
        return {"nodegroups": sorted(self.cluster.node_groups)}

    @answered
    def update_nodegroup_version(self) -> Stored:
        group, asked = self.group, self.asked
        versions = self._versions(asked.get("version", group["version"]), asked.get("releaseVersion"))
        self.invalid("Requested Kubernetes version is lower", when=versions["version"] < group["version"])
        if "launchTemplate" in asked:
            given = self._by_id(asked["launchTemplate"])
            self.template_data(given)
            other = group.get("launchTemplate", {}).get("id") != given["id"]
            self.invalid("A group keeps its launch template; only versions change", when=other)
            group["launchTemplate"] = given
        group.update(versions)
        self.rewrite(group)
        return self.updated("VersionUpdate")

    @answered
    def update_nodegroup_config(self) -> Stored:
        group, asked = self.group, self.asked
        scaling = group["scalingConfig"] | asked.get("scalingConfig", {})
        self._check_sizes(scaling)
        self._check_unavailable(asked.get("updateConfig", {}))
        labels, taints = asked.get("labels", {}), asked.get("taints", {})
        kept = {key: group["labels"][key] for key in group["labels"] if key not in labels.get("removeLabels", [])}
        group["labels"] = kept | labels.get("addOrUpdateLabels", {})
        changed = taints.get("addOrUpdateTaints", [])
        gone = {(each["key"], each["effect"]) for each in [*changed, *taints.get("removeTaints", [])]}
        group["taints"] = [
            each for each in group.get("taints", []) if (each["key"], each["effect"]) not in gone
        ] + changed
        group.update({key: asked[key] for key in ("nodeRepairConfig", "updateConfig") if key in asked})
        group["scalingConfig"] = scaling
        self.rewrite(group)
        return self.updated("ConfigUpdate")

    @answered
    def delete_nodegroup(self) -> Stored:
        group = self.group
        del self.cluster.node_groups[group["nodegroupName"]]
        self.unmake(group)
        if not any(each["nodeRole"] == group["nodeRole"] for each in self.cluster.node_groups.values()):
            self.cluster.entries.pop(group["nodeRole"], None)
        return {"nodegroup": group | {"status": "DELETING"}}
