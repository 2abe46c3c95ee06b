"""A real apply and destroy of both committed clusters: `make`, Terraform and its AWS provider as they are, moto as AWS.

Moto keeps what it is told and knows most of AWS's rules about names and order; where it answers otherwise than AWS it
is put right in tests/aws. What it cannot show, and nobody has seen here:

- Nodes that join, pods, add-ons that run: behind the EKS endpoint is no API server. So Argo CD's bootstrap is switched
  off, and `make destroy` leaves Kubernetes alone.
- Whether IAM lets a policy do what it says: moto checks no permission of whoever calls, and of a bucket's policy it
  heeds a Deny whatever its condition. That the bucket takes no plain HTTP is seen, that it takes HTTPS is not.
- The state bucket's policy, for the same reason: the bucket is there without one.
- Quotas, capacity, zones that lack an instance type; how long things take; a certificate that is really proved.
- Whether EKS writes an Auto Scaling group at each update: here it does, the worse of the two.
- MySQL: parameters are stored, and no server starts with them.

Figures: pytest tests/test_apply.py -o log_cli=true --log-cli-level=INFO
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.aws.growth import (
    a_node_group_plans_itself,
    a_zone_plans_its_network,
    an_app_with_an_identity_plans_its_role,
    grow,
    start_smaller,
)
from tests.aws.life import (
    Life,
    a_later_cluster_takes_them_over,
    again_nothing_changes,
    an_update_by_eks_loses_the_mix_and_it_comes_back,
    apply,
    data_go_only_when_told_twice,
    identities_are_trusted,
    life,
    nodes_have_what_they_need_around_them,
    read_back,
    told_once_the_data_stay,
    told_twice_nothing_is_left,
)
from tests.aws.sizes import a_higher_minimum_waits_for_its_nodes, nodes_that_came_are_left

STAGES: dict[str, list[Callable[[Life], None]]] = {
    "dev-tokyo": [
        apply,
        read_back,
        nodes_have_what_they_need_around_them,
        identities_are_trusted,
        again_nothing_changes,
        nodes_that_came_are_left,
        a_higher_minimum_waits_for_its_nodes,
        an_update_by_eks_loses_the_mix_and_it_comes_back,
        data_go_only_when_told_twice,
        told_twice_nothing_is_left,
    ],
    "prod-tokyo": [
        start_smaller,
        apply,
        a_node_group_plans_itself,
        an_app_with_an_identity_plans_its_role,
        a_zone_plans_its_network,
        grow,
        read_back,
        identities_are_trusted,
        again_nothing_changes,
        told_once_the_data_stay,
        a_later_cluster_takes_them_over,
    ],
}


def test_lives(subtests: pytest.Subtests, tmp_path: Path) -> None:
    """Both at once, stage after stage: most of the time is the provider's, waiting for a database to settle."""
    with ExitStack() as stack:
        lives = {name: stack.enter_context(life(name, tmp_path / name)) for name in STAGES}
        threads = {name: stack.enter_context(ThreadPoolExecutor(1)) for name in STAGES}
        begun = [
            (name, each, threads[name].submit(each, lives[name])) for name, stages in STAGES.items() for each in stages
        ]
        for name, stage, run in begun:
            with subtests.test(stage.__name__, cluster=name):
                run.result()
