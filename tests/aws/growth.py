"""A cluster that starts smaller than its committed file: what each addition plans, and that they are applied."""

from __future__ import annotations

from generators.source import edit
from tests.aws.checkout import Checkout
from tests.aws.life import Life, apply

LATER: dict[str, tuple[str, ...]] = {
    "app": ("apps", "gpu-inference"),
    "group": ("node_groups", "workers-on-demand"),
}
"""What prod-tokyo gets after its first apply, beside a third zone."""
ALL_ZONES, TWO_ZONES = "zones: [a, c, d]", "zones: [a, c]"
BEFORE, AFTER = "create, delete", "delete, create"
"""A successor is made before the old one goes, or after."""


def write(life: Life, *, keep: str = "", zones: str = TWO_ZONES) -> None:
    """The cluster's file with at most one of the additions; and the first word, without the second."""
    made, text = life.checkout, life.whole
    for key, path in LATER.items():
        text = text if key == keep else edit.remove(text, made.name, path)
    assert ALL_ZONES in text
    made.write(text.replace(ALL_ZONES, zones))
    made.set(storage__deletable="true")


def start_smaller(life: Life) -> None:
    write(life)


def grow(life: Life) -> None:
    """To the committed file, but for the first word."""
    life.checkout.write(life.whole)
    life.checkout.set(storage__deletable="true")
    apply(life)


def tags(made: Checkout, key: str) -> set[str]:
    """Addresses of a node group's tags for cluster-autoscaler."""
    label, group = "k8s.io/cluster-autoscaler/node-template", made.facts["node_groups"][key]
    found = {"k8s.io/cluster-autoscaler/enabled", f"k8s.io/cluster-autoscaler/{made.name}"}
    found |= {f"{label}/resources/{each}" for each in ("ephemeral-storage", "pods")}
    found |= {f"{label}/resources/nvidia.com/gpu"} if group["gpus"] else set()
    found |= {f"{label}/label/{each}" for each in group["labels"]}
    found |= {f"{label}/taint/{each['key']}" for each in group["taints"]}
    return {f'module.node_groups.aws_autoscaling_group_tag.this["{key} {each}"]' for each in found}


def a_node_group_plans_itself(life: Life) -> None:
    write(life, keep="group")
    created = {
        'module.monitoring.aws_cloudwatch_metric_alarm.expression["nodes-missing-workers-on-demand"]',
        'module.node_groups.aws_eks_node_group.this["workers-on-demand"]',
        'module.node_groups.aws_launch_template.this["workers-on-demand"]',
        *tags(life.checkout, "workers-on-demand"),
    }
    updated = {"module.monitoring.aws_cloudwatch_dashboard.this": "update"}
    assert life.checkout.plan() == dict.fromkeys(created, "create") | updated


def an_app_with_an_identity_plans_its_role(life: Life) -> None:
    write(life, keep="app")
    name = life.checkout.name
    roles = [f"{name}-gpu-inference-{account}" for account in ("gpu-inference", "warmer")]
    created = {f'module.identity.aws_iam_role{part}.this["{role}"]' for role in roles for part in ("", "_policy")}
    # Who may submit batches, and what is told of them.
    created |= {
        f'module.cluster.aws_eks_access_entry.submitter["{role}"]'
        for role in life.checkout.facts["access"]["submitter_role_arns"]
    }
    created.add('module.monitoring.aws_cloudwatch_metric_alarm.expression["movies-at-fault"]')
    updated = {"module.monitoring.aws_cloudwatch_dashboard.this": "update"}
    assert life.checkout.plan() == dict.fromkeys(created, "create") | updated


def a_zone_plans_its_network(life: Life) -> None:
    """And a successor for each node group: EKS takes a group's subnets once."""
    write(life, zones=ALL_ZONES)
    made, zone = life.checkout, f"{life.checkout.facts['region']}d"
    blocks, groups = made.facts["network"]["pod_subnets"][zone], list(made.facts["node_groups"])
    alike = ("eip.nat", "nat_gateway.this", "route.nat", "route_table.private", "subnet.private", "subnet.public")
    joined = ("route_table_association.private", "route_table_association.public")
    created = {f'module.network.aws_{each}["{zone}"]' for each in alike + joined}
    for block in blocks:
        created |= {f'module.network.aws_{each}["{block}"]' for each in ("subnet.pods", "route_table_association.pods")}
    created.add(f'module.monitoring.aws_cloudwatch_metric_alarm.metric["nat-ports-{zone}"]')
    updated = {
        "module.cluster.aws_eks_cluster.this",
        "module.database[0].aws_db_subnet_group.this",
        "module.ingress[0].aws_lb.this",
        "module.monitoring.aws_cloudwatch_dashboard.this",
        "module.network.aws_vpc_endpoint.s3",
    }
    services = ("ecr.api", "ecr.dkr", "logs", "sts")
    updated |= {f'module.network.aws_vpc_endpoint.interface["{each}"]' for each in services}
    alarm = "module.monitoring.aws_cloudwatch_metric_alarm.expression"
    updated |= {f'{alarm}["nodes-missing-{each}"]' for each in groups}
    first = {f'module.node_groups.aws_eks_node_group.this["{each}"]' for each in groups}
    serving = [each for each in groups if made.facts["node_groups"][each]["role"] == "system"]
    pages = made.facts["access"]["routes"]
    joined_by = "module.ingress[0].aws_autoscaling_attachment.this"
    first |= {f'{joined_by}["{each}/{app}"]' for each in serving for app in pages}
    then = {"terraform_data.spot_mix[0]"}.union(*(tags(made, each) for each in groups))
    assert made.plan() == {
        **dict.fromkeys(created, "create"),
        **dict.fromkeys(updated, "update"),
        **dict.fromkeys(first, BEFORE),
        **dict.fromkeys(then, AFTER),
    }
