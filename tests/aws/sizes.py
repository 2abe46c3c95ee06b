"""cluster-autoscaler beside Terraform: neither takes the other's nodes away."""

from __future__ import annotations

from tests.aws.checkout import Checkout
from tests.aws.life import Life

GROUP = "workers"


def sizes(made: Checkout) -> tuple[int, int, int]:
    """Minimum, size and maximum of the group in AWS."""
    name = made.facts["node_groups"][GROUP]["name"]
    found = made.client("eks").describe_nodegroup(clusterName=made.name, nodegroupName=name)["nodegroup"]
    return tuple(found["scalingConfig"][key] for key in ("minSize", "desiredSize", "maxSize"))


def scale(made: Checkout, size: int) -> None:
    """As cluster-autoscaler does, and EKS tells it as the group's size."""
    name = made.facts["node_groups"][GROUP]["name"]
    made.client("eks").update_nodegroup_config(
        clusterName=made.name, nodegroupName=name, scalingConfig={"desiredSize": size}
    )


def nodes_that_came_are_left(life: Life) -> None:
    """With a new maximum, nodes stay that came before the plan, and those that came after it stop the apply."""
    made = life.checkout
    scale(made, 40)
    made.set(node_groups__workers__max="240")
    made.must("plan")
    scale(made, 90)
    refused = made.make("apply")
    assert refused.returncode
    assert "has 90 nodes now, and the plan would set it to 40" in refused.stderr
    assert sizes(made) == (0, 90, 250)
    made.must("plan")
    made.must("apply")
    assert sizes(made) == (0, 90, 240)


def a_higher_minimum_waits_for_its_nodes(life: Life) -> None:
    """EKS refuses a minimum above the size: that is said before anything is done, with the way."""
    made = life.checkout
    scale(made, 1)
    made.set(node_groups__workers__min="3")
    refused = made.make("plan")
    assert refused.returncode
    assert "has 1 node, and EKS takes no minimum of 3 above that" in refused.stderr
    assert f"make grow NAME={made.name}" in refused.stderr
    made.must("grow")
    assert sizes(made) == (0, 3, 240)
    made.must("plan")
    made.must("apply")
    assert sizes(made) == (3, 3, 240)
    made.must("grow")
    made.write(life.whole)
    made.must("apply", "AUTO_APPROVE=1")
    assert sizes(made) == (0, 3, 250)
