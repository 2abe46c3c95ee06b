"""What EKS makes for a node group: a launch template of its own, an Auto Scaling group, an instance profile."""

from __future__ import annotations

from typing import Any

from moto.autoscaling.models import AutoScalingBackend, autoscaling_backends
from moto.core.exceptions import ServiceException
from moto.core.utils import utcnow

from tests.aws.api import Refused, Stored
from tests.aws.eks import Eks

SPOT = {
    "OnDemandAllocationStrategy": "prioritized",
    "OnDemandBaseCapacity": 0,
    "OnDemandPercentageAboveBaseCapacity": 0,
    "SpotAllocationStrategy": "price-capacity-optimized",
}
ON_DEMAND = {
    "OnDemandAllocationStrategy": "prioritized",
    "OnDemandBaseCapacity": 0,
    "OnDemandPercentageAboveBaseCapacity": 100,
    "SpotAllocationStrategy": "lowest-price",
    "SpotInstancePools": 2,
}


def own_name(group: Stored) -> str:
    """Name of the launch template and of the instance profile that EKS makes: the end of the group's ARN."""
    return "eks-" + str(group["nodegroupArn"]).rsplit("/", 1)[1]


def asg_name(group: Stored) -> str:
    """Name of the group's Auto Scaling group."""
    return str(group["resources"]["autoScalingGroups"][0]["name"])


class Scaling(Eks):
    """Makes, rewrites and removes it."""

    @property
    def autoscaling(self) -> AutoScalingBackend:
        """Moto's Auto Scaling."""
        return autoscaling_backends[self.current_account][self.region]

    def template_data(self, given: Stored) -> Stored:
        """What a version of the user's launch template holds. Raises InvalidParameterException where there is none."""
        try:
            template = self.ec2.get_launch_template(given["id"])
            return dict(template.get_version(given["version"]).data)
        except ServiceException as error:
            raise Refused("InvalidParameterException", error.message) from None

    def _own_data(self, group: Stored) -> Stored:
        """The user's launch template, with an image and the cluster's security group."""
        data = self.template_data(group["launchTemplate"]) if "launchTemplate" in group else {}
        security_group = self.cluster.said["resourcesVpcConfig"]["clusterSecurityGroupId"]
        made = {
            "IamInstanceProfile": {"Name": own_name(group)},
            "ImageId": next(iter(self.ec2.amis)),
            "SecurityGroupIds": [security_group],
        }
        return made | {key: value for key, value in data.items() if value}

    def _policy(self, group: Stored, template: Any) -> Stored:
        specification = {"LaunchTemplateId": template.id, "Version": str(template.latest_version_number)}
        types = [{"InstanceType": each} for each in group["instanceTypes"]]
        return {
            "LaunchTemplate": {"LaunchTemplateSpecification": specification, "Overrides": types},
            "InstancesDistribution": dict(SPOT if group["capacityType"] == "SPOT" else ON_DEMAND),
        }

    def make(self, group: Stored) -> None:
        """All of it, as EKS would have it."""
        template = self.ec2.create_launch_template(own_name(group), "", self._own_data(group), {})
        role = group["nodeRole"].rsplit("/", 1)[1]
        self.iam.create_instance_profile(own_name(group), "/", [role])
        cluster, name = group["clusterName"], group["nodegroupName"]
        tags = {
            "eks:cluster-name": cluster,
            "eks:nodegroup-name": name,
            f"k8s.io/cluster-autoscaler/{cluster}": "owned",
            "k8s.io/cluster-autoscaler/enabled": "true",
            f"kubernetes.io/cluster/{cluster}": "owned",
        }
        scaling = group["scalingConfig"]
        self.autoscaling.create_auto_scaling_group(
            name=asg_name(group),
            availability_zones=[],
            desired_capacity=scaling["desiredSize"],
            max_size=scaling["maxSize"],
            min_size=scaling["minSize"],
            launch_config_name="",
            launch_template={},
            vpc_zone_identifier=",".join(group["subnets"]),
            default_cooldown=None,
            health_check_period=15,
            health_check_type="EC2",
            load_balancers=[],
            target_group_arns=[],
            placement_group=None,
            termination_policies=["AllocationStrategy", "OldestLaunchTemplate", "OldestInstance"],
            tags=[{"Key": key, "Value": value, "PropagateAtLaunch": True} for key, value in tags.items()],  # type: ignore[dict-item]
            capacity_rebalance=group["capacityType"] == "SPOT",
            mixed_instances_policy=self._policy(group, template),
        )

    def rewrite(self, group: Stored) -> None:
        """A new version of EKS's launch template, and the Auto Scaling group as EKS would have it."""
        template = self.ec2.get_launch_template_by_name(own_name(group))
        template.create_version(self._own_data(group), "")
        asg = self.autoscaling.autoscaling_groups[asg_name(group)]
        asg.min_size, asg.max_size = group["scalingConfig"]["minSize"], group["scalingConfig"]["maxSize"]
        asg.mixed_instances_policy = self._policy(group, template)
        asg.capacity_rebalance = group["capacityType"] == "SPOT"
        asg.set_desired_capacity(group["scalingConfig"]["desiredSize"])
        group["modifiedAt"] = utcnow()

    def unmake(self, group: Stored) -> None:
        """All of it goes with the group."""
        self.autoscaling.delete_auto_scaling_group(asg_name(group))
        self.ec2.delete_launch_template(own_name(group), None)
        self.iam.delete_instance_profile(own_name(group), ignore_attached_roles=True)
