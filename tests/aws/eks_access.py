"""Access entries of EKS and their policies."""

from __future__ import annotations

from moto.core.utils import utcnow

from tests.aws.api import Refused, Stored, answered
from tests.aws.eks import Eks

POLICIES = {
    f"arn:aws:eks::aws:cluster-access-policy/AmazonEKS{name}Policy"
    for name in ("Admin", "AdminView", "ClusterAdmin", "Edit", "View")
}


class AccessEntries(Eks):
    """Operations on access entries."""

    @property
    def entry(self) -> Stored:
        """The entry that the request names. Raises ResourceNotFoundException."""
        entry: Stored = self.found(self.entries, self.asked["principalArn"], "access entry")
        return entry

    @property
    def entries(self) -> dict[str, Stored]:
        """By principal. Raises InvalidRequestException for a cluster that knows none."""
        if self.cluster.said["accessConfig"]["authenticationMode"] == "CONFIG_MAP":
            what = "authentication mode must be one of [API, API_AND_CONFIG_MAP] to perform this operation"
            raise Refused("InvalidRequestException", f"The cluster's {what}.")
        return self.cluster.entries

    @answered
    def create_access_entry(self) -> Stored:
        asked, principal = self.asked, self.asked["principalArn"]
        self.free(self.entries, principal, "The specified access entry resource")
        self.role(principal)
        system = [each for each in asked.get("kubernetesGroups", []) if each.startswith("system:")]
        self.invalid(f"The kubernetes group name {system} is invalid, it cannot start with system:", when=system)
        self.admit(principal, asked.get("type", "STANDARD"))
        name = principal.rsplit("/", 1)[1]
        session = f"arn:{self.partition}:sts::{self.current_account}:assumed-role/{name}/{{{{SessionName}}}}"
        self.entry["username"] = asked.get("username", session)
        self.entry.update({key: asked[key] for key in ("kubernetesGroups", "tags") if key in asked})
        return {"accessEntry": self.entry}

    @answered
    def describe_access_entry(self) -> Stored:
        return {"accessEntry": self.entry}

    @answered
    def list_access_entries(self) -> Stored:
        return {"accessEntries": sorted(self.entries)}

    @answered
    def update_access_entry(self) -> Stored:
        given = {key: self.asked[key] for key in ("kubernetesGroups", "username") if key in self.asked}
        self.entry.update(given | {"modifiedAt": utcnow()})
        return {"accessEntry": self.entry}

    @answered
    def delete_access_entry(self) -> Stored:
        del self.entries[self.entry["principalArn"]]
        self.cluster.policies.pop(self.asked["principalArn"], None)
        return {}

    @answered
    def associate_access_policy(self) -> Stored:
        asked, entry = self.asked, self.entry
        self.invalid(f"Policy {asked['policyArn']} was not found", when=asked["policyArn"] not in POLICIES)
        self.invalid("Only STANDARD entries have policies", when=entry["type"] != "STANDARD")
        scope = {"type": "cluster", "namespaces": []} | asked["accessScope"]
        fits = bool(scope["namespaces"]) == (scope["type"] == "namespace")
        self.invalid(f"namespaces do not fit the scope: {scope}", when=not fits)
        known = self.cluster.policies[entry["principalArn"]]
        since = known.get(asked["policyArn"], {}).get("associatedAt", utcnow())
        policy = {"policyArn": asked["policyArn"], "accessScope": scope, "associatedAt": since, "modifiedAt": utcnow()}
        known[asked["policyArn"]] = policy
        return self._about(entry) | {"associatedAccessPolicy": policy}

    def _about(self, entry: Stored) -> Stored:
        return {"clusterName": entry["clusterName"], "principalArn": entry["principalArn"]}

    @answered
    def list_associated_access_policies(self) -> Stored:
        policies = self.cluster.policies[self.entry["principalArn"]]
        return self._about(self.entry) | {"associatedAccessPolicies": list(policies.values())}

    @answered
    def disassociate_access_policy(self) -> Stored:
        policies = self.cluster.policies[self.entry["principalArn"]]
        self.found(policies, self.asked["policyArn"], "associated policy")
        del policies[self.asked["policyArn"]]
        return {}
