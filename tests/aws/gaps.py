"""What moto answers otherwise than AWS, put right; what it has stored is told, nothing is made up.

| call | moto | here, as AWS |
| --- | --- | --- |
| RDS DescribeDBParameters | says of no parameter who set it | what ModifyDBParameterGroup set is of source `user` |
| EC2 DescribeSecurityGroupRules | forgets descriptions of rules that name a group | tells them |
| EC2 AuthorizeSecurityGroupIngress, -Egress | takes any description | takes AWS's set of characters: no apostrophe |
| EC2 ModifyVpcEndpoint | adds a route table to a gateway endpoint, and no route to the table | adds and removes both |
| EC2 RunInstances | leaves the first network interface behind when the instance goes | it goes too |
| EC2 DeleteNatGateway | leaves its network interface behind | it goes too |
| RDS ModifyDBSubnetGroup | removes the group | changes its subnets |
| EC2 CreateLaunchTemplate | puts the template's own tags into its data | keeps them apart |
| Auto Scaling UpdateAutoScalingGroup | drops a mixed instances policy that is not named, and asks for all of it; \
ignores CapacityRebalance | changes what is named, and nothing else |
| Budgets DescribeSubscribersForNotification, ListTagsForResource | has neither | tell what CreateBudget was given |

EKS is written anew beside this file: moto has no add-ons and no access entries, its node groups have no Auto Scaling
group and an SSH key that nobody gave.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse
from moto.budgets.exceptions import NotFoundException
from moto.budgets.models import Budget
from moto.budgets.responses import BudgetsResponse
from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidParameterValueError
from moto.ec2.models import EC2Backend
from moto.ec2.models.instances import Instance
from moto.ec2.models.launch_templates import LaunchTemplate
from moto.ec2.models.nat_gateways import NatGateway
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.rds.models import DBParameterGroup, DBSubnetGroup, RDSBackend

RULE_TEXT = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}")
"""A rule's description, by EC2's API reference (SecurityGroupRule)."""
PLAIN_RULE = SecurityGroupRule.__init__
PLAIN_UPDATE = DBParameterGroup.update_parameters
PLAIN_TEMPLATE = EC2Backend.create_launch_template
PLAIN_GROUP = AutoScalingBackend.update_auto_scaling_group
PLAIN_ENDPOINT = EC2Backend.modify_vpc_endpoint
PLAIN_GATEWAY = EC2Backend.delete_nat_gateway
PLAIN_INTERFACES = Instance.prep_nics
PLAIN_SUBNETS = RDSBackend.modify_db_subnet_group
PLAIN_BUDGET = BudgetsResponse.create_budget
PLAIN_ANSWER = AutoScalingResponse.update_auto_scaling_group


def parameters(self: DBParameterGroup, new: Iterable[dict[str, Any]]) -> None:
    """Each with its source."""
    PLAIN_UPDATE(self, [each | {"Source": "user"} for each in new])


def rule_description(self: SecurityGroupRule) -> str | None:
    """Of a block or of a group."""
    return self.ip_range.get("Description") or self.source_group.get("Description")


def rule(self: SecurityGroupRule, *asked: Any, **named: Any) -> None:
    """Raises InvalidParameterValueError for a description that AWS refuses."""
    PLAIN_RULE(self, *asked, **named)
    text = rule_description(self) or ""
    if not RULE_TEXT.fullmatch(text):
        raise InvalidParameterValueError(f"Invalid rule description: {text}")


def template(
    self: EC2Backend, name: str, description: str, data: dict[str, Any], tags: dict[str, Any]
) -> LaunchTemplate:
    """Without the template's own tags in its data."""
    specifications = data.get("TagSpecifications", [])
    others = [each for each in specifications if each["ResourceType"] != "launch-template"]
    return PLAIN_TEMPLATE(self, name, description, data | {"TagSpecifications": others}, tags)


def endpoint(self: EC2Backend, vpc_id: str, **asked: Any) -> None:
    """A gateway endpoint (moto calls its id `vpc_id`), with its route in each of its tables."""
    (changed,) = self.describe_vpc_endpoints([vpc_id])
    before = set(changed.route_table_ids)
    PLAIN_ENDPOINT(self, vpc_id, **asked)
    block = changed.destination_prefix_list_id
    if block:
        for table in set(changed.route_table_ids) - before:
            self.create_route(table, None, gateway_id=vpc_id, destination_prefix_list_id=block)
        for table in before - set(changed.route_table_ids):
            self.delete_route(table, block)


def gateway(self: EC2Backend, nat_gateway_id: str) -> NatGateway:
    """Its interface goes with it."""
    gone = PLAIN_GATEWAY(self, nat_gateway_id)
    self.delete_network_interface(vars(gone)["_eni"].id)
    return gone


def interfaces(self: Instance, *asked: Any, **named: Any) -> None:
    """The first one goes with the instance, which made it."""
    PLAIN_INTERFACES(self, *asked, **named)
    for each in self.nics.values():
        each.delete_on_termination = each.delete_on_termination or each.description == "Primary network interface"


def subnet_group(self: RDSBackend, subnet_name: str, *asked: Any) -> DBSubnetGroup:
    """Still there, with other subnets."""
    group = PLAIN_SUBNETS(self, subnet_name, *asked)
    self.subnet_groups[subnet_name] = group
    return group


def scaling_group(self: AutoScalingBackend, name: str, **asked: Any) -> FakeAutoScalingGroup:
    """What the request does not name, stays."""
    group = self.autoscaling_groups.get(name)
    now, new = group and group.mixed_instances_policy, asked.get("mixed_instances_policy")
    if now and not asked.get("launch_template"):
        new = new or {}
        # Stored with id and name; asked for by one of them.
        stored = now["LaunchTemplate"]["LaunchTemplateSpecification"]
        specification = {key: stored[key] for key in ("LaunchTemplateId", "Version")}
        kept = now["LaunchTemplate"] | {"LaunchTemplateSpecification": specification}
        asked["mixed_instances_policy"] = {
            "InstancesDistribution": now["InstancesDistribution"] | new.get("InstancesDistribution", {}),
            "LaunchTemplate": kept | new.get("LaunchTemplate", {}),
        }
    return PLAIN_GROUP(self, name, **asked)


def scaling_group_answer(self: AutoScalingResponse) -> ActionResult:
    """With CapacityRebalance."""
    answer = PLAIN_ANSWER(self)
    rebalance = self._get_bool_param("CapacityRebalance")
    if rebalance is not None:
        group = self.autoscaling_backend.autoscaling_groups[self._get_param("AutoScalingGroupName")]
        group.capacity_rebalance = rebalance
    return answer


def budget_of(self: BudgetsResponse, name: str) -> Budget:
    """Raises NotFoundException."""
    budgets = self.backend.budgets[self._get_param("AccountId", self.current_account)]
    if name not in budgets:
        raise NotFoundException(f"Unable to get budget: {name} - the budget doesn't exist.")
    return budgets[name]


def create_budget(self: BudgetsResponse) -> str:
    """With its tags."""
    answer = PLAIN_BUDGET(self)
    vars(budget_of(self, self._get_param("Budget")["BudgetName"]))["tags"] = self._get_param("ResourceTags", [])
    return answer


def subscribers(self: BudgetsResponse) -> str:
    """Of the notification that the request describes."""
    asked = self._get_param("Notification")
    for each in budget_of(self, self._get_param("BudgetName")).notifications:
        if all(each.details.get(key) == asked.get(key) for key in ("NotificationType", "Threshold", "ThresholdType")):
            return json.dumps({"Subscribers": each.subscribers})
    raise NotFoundException("Unable to get subscribers - the notification doesn't exist.")


def budget_tags(self: BudgetsResponse) -> str:
    """Of the budget with this ARN."""
    return json.dumps({"ResourceTags": vars(budget_of(self, self._get_param("ResourceARN").rsplit("/", 1)[1]))["tags"]})


def mend() -> None:
    """Put moto's answers right, in this process."""
    for owner, name, better in (
        (DBParameterGroup, "update_parameters", parameters),
        (SecurityGroupRule, "description", property(rule_description)),
        (SecurityGroupRule, "__init__", rule),
        (EC2Backend, "create_launch_template", template),
        (EC2Backend, "modify_vpc_endpoint", endpoint),
        (EC2Backend, "delete_nat_gateway", gateway),
        (Instance, "prep_nics", interfaces),
        (RDSBackend, "modify_db_subnet_group", subnet_group),
        (AutoScalingBackend, "update_auto_scaling_group", scaling_group),
        (AutoScalingResponse, "update_auto_scaling_group", scaling_group_answer),
        (BudgetsResponse, "create_budget", create_budget),
        (BudgetsResponse, "describe_subscribers_for_notification", subscribers),
        (BudgetsResponse, "list_tags_for_resource", budget_tags),
    ):
        setattr(owner, name, better)
