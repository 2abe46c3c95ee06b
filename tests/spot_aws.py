"""A cluster whose spot node groups are in a checkout and in AWS's stand-in, as EKS makes them, for the spot mix."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import boto3

from generators.source.workspace import Workspace
from tests import fleets
from tests.spot_gate import Gate

REGION, ACCOUNT, CLUSTER = "ap-northeast-1", "123456789012", "demo"
TYPES = ("c6i.2xlarge", "c6a.2xlarge", "c5a.2xlarge")
EKS_MAKES = {
    "OnDemandAllocationStrategy": "prioritized",
    "OnDemandBaseCapacity": 0,
    "OnDemandPercentageAboveBaseCapacity": 0,
    "SpotAllocationStrategy": "price-capacity-optimized",
}


class World:
    """A cluster's `cluster.tfvars.json` in a checkout of its own, and the same node groups in AWS."""

    def __init__(self, workspace: Workspace, gate: Gate, url: str) -> None:
        self.workspace, self.gate = workspace, gate
        self.folder = fleets.add(workspace, CLUSTER, fleets.text("dev-tokyo"))
        self.facts: dict[str, Any] = {"account_id": ACCOUNT, "region": REGION, "node_groups": {}}
        self.autoscaled(True)
        session = boto3.Session("test", "test", region_name=REGION)
        self.eks: Any = session.client("eks", endpoint_url=url)
        self.asg: Any = session.client("autoscaling", endpoint_url=url)
        ec2 = session.client("ec2", endpoint_url=url)
        self.subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
        template = ec2.create_launch_template(LaunchTemplateName="eks", LaunchTemplateData={"ImageId": "ami-12c6146b"})
        self.template = template["LaunchTemplate"]["LaunchTemplateId"]
        role = f"arn:aws:iam::{ACCOUNT}:role/eks"
        self.eks.create_cluster(name=CLUSTER, roleArn=role, resourcesVpcConfig={"subnetIds": [self.subnet]})
        self.env = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")} | {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "FLEET_ROOT": str(workspace.root),
            "NO_COLOR": "1",
        }

    def autoscaled(self, on: bool) -> None:
        """Whether cluster-autoscaler is among the apps of the cluster file."""
        self.facts["identities"] = {"demo-kube-system-cluster-autoscaler": {"app": "cluster-autoscaler"}} if on else {}

    def declare(self, key: str, mix: dict[str, Any] | None = None, capacity: str = "SPOT") -> str:
        """A node group in the tfvars alone; its name in AWS."""
        full = {"on_demand_base": 0, "on_demand_percentage": 0, "weights": {}, **mix} if mix is not None else None
        self.facts["node_groups"][key] = {"name": f"{key}-0a1b2c3d", "capacity_type": capacity, "mix": full}
        file = self.folder / "generated" / "terraform" / "cluster.tfvars.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(self.facts), encoding="utf-8")
        return f"{key}-0a1b2c3d"

    def make(
        self,
        key: str,
        mix: dict[str, Any] | None = None,
        kinds: tuple[str, ...] = TYPES,
        *,
        capacity: str = "SPOT",
        rebalance: bool = True,
        asg: bool = True,
        **shares: object,
    ) -> None:
        """A node group in the tfvars and, as EKS makes it but for what is said here, in AWS."""
        made = self.eks.create_nodegroup(
            clusterName=CLUSTER,
            nodegroupName=self.declare(key, mix),
            subnets=[self.subnet],
            nodeRole=f"arn:aws:iam::{ACCOUNT}:role/node",
            capacityType=capacity,
            instanceTypes=list(kinds),
        )["nodegroup"]
        if not asg:
            return
        self.asg.create_auto_scaling_group(
            AutoScalingGroupName=made["resources"]["autoScalingGroups"][0]["name"],
            MinSize=0,
            MaxSize=20,
            VPCZoneIdentifier=self.subnet,
            CapacityRebalance=rebalance,
            Tags=[{"Key": "k8s.io/cluster-autoscaler/enabled", "Value": "true"}],
            MixedInstancesPolicy={
                "LaunchTemplate": {
                    "LaunchTemplateSpecification": {"LaunchTemplateId": self.template, "Version": "1"},
                    "Overrides": [{"InstanceType": kind} for kind in kinds],
                },
                "InstancesDistribution": {**EKS_MAKES, **shares},
            },
        )

    def name(self, key: str) -> str:
        """Of the Auto Scaling group."""
        asked = {"clusterName": CLUSTER, "nodegroupName": f"{key}-0a1b2c3d"}
        found = self.eks.describe_nodegroup(**asked)["nodegroup"]["resources"]["autoScalingGroups"][0]["name"]
        return str(found)

    def live(self, key: str) -> dict[str, Any]:
        """The Auto Scaling group as AWS tells it."""
        found: dict[str, Any] = self.asg.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name(key)])
        return dict(found["AutoScalingGroups"][0])

    def shares(self, key: str) -> tuple[int, int]:
        """On-demand base and percentage."""
        held = self.live(key)["MixedInstancesPolicy"]["InstancesDistribution"]
        return held["OnDemandBaseCapacity"], held["OnDemandPercentageAboveBaseCapacity"]

    def weights(self, key: str) -> list[str | None]:
        """Of the types, in their order."""
        held = self.live(key)["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"]
        return [each.get("WeightedCapacity") for each in held]

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """`python -m scripts.spot_mix`, running."""
        command = [sys.executable, "-m", "scripts.spot_mix", *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=fleets.ROOT, env=self.env | env, stdout=pipe, stderr=pipe, text=True)

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """As `start`, to its end; the calls are counted anew."""
        self.gate.calls.clear()
        process = self.start(*arguments, **env)
        out, err = process.communicate()
        assert "Traceback" not in err
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)
