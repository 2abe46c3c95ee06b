"""EKS clusters, with what EKS makes for each: an OIDC issuer, a security group, access of its creator, a log group.

Not here: the control plane itself (no API server answers behind the endpoint) and its network interfaces.
"""

from __future__ import annotations

import ipaddress
from uuid import uuid4

from moto.core.exceptions import ServiceException
from moto.core.utils import utcnow
from moto.kms.models import kms_backends
from moto.logs.models import logs_backends

from tests.aws.api import Refused, Stored, answered
from tests.aws.eks import Cluster, Eks

LOG_TYPES = {"api", "audit", "authenticator", "controllerManager", "scheduler"}


def log_setup(asked: Stored) -> Stored:
    """EKS tells of each type, whether it is on or off."""
    on = {name for each in asked.get("clusterLogging", []) if each["enabled"] for name in each["types"]}
    setup = [{"types": sorted(on), "enabled": True}, {"types": sorted(LOG_TYPES - on), "enabled": False}]
    return {"clusterLogging": [each for each in setup if each["types"]]}


class Clusters(Eks):
    """Operations on clusters."""

    @answered
    def create_cluster(self) -> Stored:
        asked = self.asked
        self.free(self.clusters, asked["name"], "Cluster")
        self.role(asked["roleArn"])
        vpc = self._vpc(asked["resourcesVpcConfig"])
        self._keys(asked.get("encryptionConfig", []))
        access = {"authenticationMode": "CONFIG_MAP", "bootstrapClusterCreatorAdminPermissions": True}
        said = {
            "name": asked["name"],
            "roleArn": asked["roleArn"],
            "version": asked.get("version", "1.35"),
            "accessConfig": access | asked.get("accessConfig", {}),
            "arn": self.arn("cluster", asked["name"]),
            "certificateAuthority": {"data": "bW90bw=="},
            "createdAt": utcnow(),
            "deletionProtection": asked.get("deletionProtection", False),
            "encryptionConfig": asked.get("encryptionConfig", []),
            "endpoint": f"https://{uuid4().hex.upper()}.gr7.{self.region}.eks.amazonaws.com",
            "health": {"issues": []},
            "identity": {"oidc": {"issuer": f"https://oidc.eks.{self.region}.amazonaws.com/id/{uuid4().hex.upper()}"}},
            "kubernetesNetworkConfig": self._network(asked.get("kubernetesNetworkConfig", {})),
            "logging": log_setup(asked.get("logging", {})),
            "platformVersion": "eks.1",
            "resourcesVpcConfig": vpc | {"clusterSecurityGroupId": self._security_group(vpc["vpcId"])},
            "status": "ACTIVE",
            "tags": asked.get("tags", {}),
            "upgradePolicy": {"supportType": "EXTENDED"} | asked.get("upgradePolicy", {}),
        }
        self.clusters[asked["name"]] = Cluster(said)
        self._admit_creator()
        self._log_group()
        return {"cluster": said | {"status": "CREATING"}}

    def _vpc(self, asked: Stored) -> Stored:
        """Raises InvalidParameterException for subnets that are unknown, of two VPCs, or in one zone only."""
        try:
            subnets = [self.ec2.get_subnet(each) for each in asked.get("subnetIds", [])]
        except ServiceException as error:
            raise Refused("InvalidParameterException", error.message) from None
        self.invalid("subnets must be of one VPC", when=len({each.vpc_id for each in subnets}) != 1)
        zones = {each.availability_zone for each in subnets}
        self.invalid("Subnets specified must be in at least two different AZs", when=len(zones) < 2)
        public = asked.get("endpointPublicAccess", True)
        defaults = {"securityGroupIds": [], "endpointPrivateAccess": False, "endpointPublicAccess": True}
        given = {"vpcId": subnets[0].vpc_id, "publicAccessCidrs": ["0.0.0.0/0"] if public else []}
        return defaults | given | asked

    def _keys(self, asked: list[Stored]) -> None:
        """Raises InvalidParameterException for a key that KMS does not have, or that is off."""
        keys = kms_backends[self.current_account][self.region].keys.values()
        known = {key.arn for key in keys if key.key_state == "Enabled"}
        for each in asked:
            self.invalid(
                "The keyArn in encryptionConfig provider is invalid", when=each["provider"]["keyArn"] not in known
            )

    def _network(self, asked: Stored) -> Stored:
        """Raises InvalidParameterException for a block that is no private one, or of another size than /24 to /12."""
        block = ipaddress.ip_network(asked.get("serviceIpv4Cidr", "172.20.0.0/16"))
        self.invalid(f"{block} is not between /24 and /12", when=not 12 <= block.prefixlen <= 24)
        self.invalid(f"{block} is not private", when=not block.is_private)
        made = {"ipFamily": "ipv4", "elasticLoadBalancing": {"enabled": False}}
        return made | asked | {"serviceIpv4Cidr": str(block)}

    def _security_group(self, vpc: str) -> str:
        """The group that control plane and nodes share."""
        name = self.asked["name"]
        tags = {"Name": f"eks-cluster-sg-{name}", f"kubernetes.io/cluster/{name}": "owned"}
        group = self.ec2.create_security_group(f"eks-cluster-sg-{name}-{uuid4().hex[:8]}", "EKS", vpc_id=vpc, tags=tags)
        return str(group.id)

    def _admit_creator(self) -> None:
        access = self.cluster.said["accessConfig"]
        if access["authenticationMode"] != "CONFIG_MAP" and access["bootstrapClusterCreatorAdminPermissions"]:
            self.admit(f"arn:{self.partition}:iam::{self.current_account}:user/moto", "STANDARD")

    def _log_group(self) -> None:
        """EKS makes the group where it is missing."""
        logs = logs_backends[self.current_account][self.region]
        name = f"/aws/eks/{self.asked['name']}/cluster"
        if self.asked.get("logging") and name not in logs.groups:
            logs.create_log_group(name, {})

    @answered
    def describe_cluster(self) -> Stored:
        return {"cluster": self.cluster.said}

    @answered
    def list_clusters(self) -> Stored:
        return {"clusters": sorted(self.clusters)}

    @answered
    def update_cluster_version(self) -> Stored:
        """EKS goes up one minor at a time."""
        now, then = (int(each.split(".")[1]) for each in (self.cluster.said["version"], self.asked["version"]))
        self.invalid(f"Unsupported Kubernetes minor version update from 1.{now} to 1.{then}", when=then != now + 1)
        self.cluster.said["version"] = self.asked["version"]
        return self.updated("VersionUpdate")

    @answered
    def update_cluster_config(self) -> Stored:
        said, asked = self.cluster.said, self.asked
        mode = asked.get("accessConfig", {}).get("authenticationMode", "API")
        back = said["accessConfig"]["authenticationMode"] == "API" and mode != "API"
        self.invalid(f"Unsupported authentication mode update from API to {mode}", when=back)
        for key in ("accessConfig", "resourcesVpcConfig", "upgradePolicy"):
            said[key] = said[key] | asked.get(key, {})
        if "logging" in asked:
            said["logging"] = log_setup(asked["logging"])
        said["deletionProtection"] = asked.get("deletionProtection", said["deletionProtection"])
        return self.updated("VpcConfigUpdate" if "resourcesVpcConfig" in asked else "LoggingUpdate")

    @answered
    def delete_cluster(self) -> Stored:
        cluster = self.cluster
        if cluster.node_groups:
            raise Refused("ResourceInUseException", "Cluster has nodegroups attached")
        if cluster.said["deletionProtection"]:
            raise Refused("InvalidRequestException", "The cluster has deletion protection")
        del self.clusters[cluster.said["name"]]
        self.ec2.delete_security_group(group_id=cluster.said["resourcesVpcConfig"]["clusterSecurityGroupId"])
        return {"cluster": cluster.said | {"status": "DELETING"}}
