"""EKS add-ons. Their versions are made up, in EKS's form; of vpc-cni's configuration schema stands here what we use.

Not here: the add-on's pods. An add-on is ACTIVE once EKS accepted it.
"""

from __future__ import annotations

import json
from uuid import uuid4

import jsonschema_rs
from moto.core.utils import utcnow

from tests.aws.api import Refused, Stored, answered
from tests.aws.eks import Eks

BOOLEAN = {"type": "string", "enum": ["true", "false"]}
INTEGER = {"type": "string", "pattern": "^[0-9]+$"}
TARGETS = ("MINIMUM_IP_TARGET", "WARM_ENI_TARGET", "WARM_IP_TARGET", "WARM_PREFIX_TARGET")
CNI_ENV = {"ENABLE_PREFIX_DELEGATION": BOOLEAN, **dict.fromkeys(TARGETS, INTEGER)}
CNI_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "enableNetworkPolicy": BOOLEAN,
        "env": {"type": "object", "additionalProperties": False, "properties": CNI_ENV},
    },
}
SCHEMAS: dict[str, Stored] = {
    "coredns": {"type": "object"},
    "eks-node-monitoring-agent": {"type": "object", "additionalProperties": False},
    "kube-proxy": {"type": "object", "additionalProperties": False},
    "vpc-cni": CNI_SCHEMA,
}
SELF_MANAGED = {"coredns", "kube-proxy", "vpc-cni"}
"""What a new cluster runs without add-ons; an add-on of the same name collides with it."""
DEFAULTS = {"eks-node-monitoring-agent": "v1.4.0-eksbuild.2", "vpc-cni": "v1.20.4-eksbuild.2"}


def default(addon: str, minor: str) -> str:
    """The version that EKS installs where none is asked for. kube-proxy and CoreDNS go with the minor."""
    return DEFAULTS.get(addon, f"v{minor}.0-eksbuild.2")


def versions(addon: str, minor: str) -> list[str]:
    """Newest first. The default is not the newest, as often in EKS."""
    name, _, build = default(addon, minor).rpartition(".")
    return [f"{name}.{int(build) + more}" for more in (2, 1, 0, -1)]


class Addons(Eks):
    """Operations on add-ons."""

    @property
    def addon(self) -> Stored:
        """The add-on that the request names. Raises ResourceNotFoundException."""
        addon: Stored = self.found(self.cluster.addons, self.asked["addonName"], "addon")
        return addon

    def _checked(self, minor: str) -> None:
        """Raises InvalidParameterException for a version, a role or a configuration that EKS would refuse."""
        asked, name = self.asked, self.asked["addonName"]
        self.invalid(f"Addon {name} is not supported", when=name not in SCHEMAS)
        version = asked.get("addonVersion", default(name, minor))
        self.invalid(f"Addon version {version} is not supported", when=version not in versions(name, minor))
        if "serviceAccountRoleArn" in asked:
            self.role(asked["serviceAccountRoleArn"])
        try:
            jsonschema_rs.validate(SCHEMAS[name], json.loads(asked.get("configurationValues") or "{}"))
        except ValueError as error:
            self.invalid(f"ConfigurationValue provided in request is not supported: {error}")

    @answered
    def create_addon(self) -> Stored:
        asked, cluster = self.asked, self.cluster
        name, minor = asked["addonName"], cluster.said["version"]
        self.free(cluster.addons, name, "Addon")
        self._checked(minor)
        collides = name in SELF_MANAGED and asked.get("resolveConflicts", "NONE") != "OVERWRITE"
        issue = {"code": "ConfigurationConflict", "message": "Conflicts found when trying to apply"}
        cluster.addons[name] = {
            "addonArn": self.arn("addon", asked["clusterName"], name, str(uuid4())),
            "addonName": name,
            "addonVersion": asked.get("addonVersion", default(name, minor)),
            "clusterName": asked["clusterName"],
            "createdAt": utcnow(),
            "health": {"issues": [issue] if collides else []},
            "modifiedAt": utcnow(),
            "status": "CREATE_FAILED" if collides else "ACTIVE",
            "tags": asked.get("tags", {}),
            **{key: asked[key] for key in ("configurationValues", "serviceAccountRoleArn") if key in asked},
        }
        return {"addon": self.addon | {"status": "CREATING"}}

    @answered
    def describe_addon(self) -> Stored:
        return {"addon": self.addon}

    @answered
    def list_addons(self) -> Stored:
        return {"addons": sorted(self.cluster.addons)}

    @answered
    def update_addon(self) -> Stored:
        addon, asked = self.addon, self.asked
        self._checked(self.cluster.said["version"])
        keys = ("addonVersion", "configurationValues", "serviceAccountRoleArn")
        addon.update({key: asked[key] for key in keys if key in asked} | {"modifiedAt": utcnow()})
        return self.updated("AddonUpdate")

    @answered
    def delete_addon(self) -> Stored:
        addon = self.addon
        del self.cluster.addons[addon["addonName"]]
        return {"addon": addon | {"status": "DELETING"}}

    @answered
    def describe_addon_versions(self) -> Stored:
        minor = self.asked.get("kubernetesVersion", "1.35")
        names = [self.asked["addonName"]] if "addonName" in self.asked else sorted(SCHEMAS)
        if unknown := [name for name in names if name not in SCHEMAS]:
            raise Refused("ResourceNotFoundException", f"Addon {unknown[0]} not found")
        return {"addons": [{"addonName": name, "addonVersions": self._compatible(name, minor)} for name in names]}

    def _compatible(self, name: str, minor: str) -> list[Stored]:
        return [
            {
                "addonVersion": version,
                "compatibilities": [{"clusterVersion": minor, "defaultVersion": version == default(name, minor)}],
            }
            for version in versions(name, minor)
        ]

    @answered
    def describe_addon_configuration(self) -> Stored:
        name = self.asked["addonName"]
        self.invalid(f"Addon {name} is not supported", when=name not in SCHEMAS)
        schema = json.dumps(SCHEMAS[name])
        return {"addonName": name, "addonVersion": self.asked["addonVersion"], "configurationSchema": schema}
