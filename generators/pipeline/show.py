"""What there is: clusters in brief, one cluster in full, the catalogue."""

from __future__ import annotations

from generators.errors import FleetError, wrong
from generators.model import names, sizing, subnets
from generators.model.base import did_you_mean
from generators.model.identities import identities
from generators.pipeline.fleet import Fleet
from generators.source import edit

Row = dict[str, object]


def brief(fleet: Fleet, name: str) -> Row:
    """One line of `fleet list`. A cluster with errors is shown with their count."""
    try:
        inputs = fleet.load(name)
    except FleetError as error:
        return {"cluster": name, "problems": len(error.problems)}
    cluster = inputs.cluster
    return {
        "cluster": name,
        "environment": cluster.environment,
        "region": cluster.region,
        "kubernetes": cluster.kubernetes,
        "nodes": sizing.planned(inputs).nodes,
        "vpc_cidr": str(cluster.network.vpc_cidr),
        "apps": cluster.apps.names(),
        "problems": 0,
    }


def catalogue(fleet: Fleet) -> list[Row]:
    """The apps there are, by wave."""
    apps = sorted(fleet.catalog.apps.items(), key=lambda item: (item[1].wave, item[0]))
    return [
        {"wave": app.wave, "app": name, "kind": app.kind, "namespace": app.namespace, "description": app.description}
        for name, app in apps
    ]


def full(fleet: Fleet, name: str) -> Row:
    """Every fact of a cluster, defaults filled in, and under `derived` what follows from them. Raises FleetError."""
    inputs = fleet.load(name)
    cluster = inputs.cluster
    derived: Row = {
        "bucket": names.bucket(cluster),
        "cluster_dns": names.cluster_dns(cluster),
        "coredns": vars(sizing.dns(inputs)) if cluster.apps.coredns else None,
        "coredns_image": names.coredns_image(inputs),
        "database_identifier": names.database_identifier(cluster),
        "database_secret": names.database_secret(cluster),
        "node_labels": {
            group: names.node_labels(group, facts, inputs.catalog.instances[facts.instance_types[0]])
            for group, facts in cluster.node_groups.items()
        },
        "planned": vars(sizing.planned(inputs)),
        "role_arns": {f"{each.namespace}/{each.service_account}": each.role_arn for each in identities(inputs)},
        "subnets": {
            "private": subnets.private(cluster),
            "public": subnets.public(cluster),
            "pods": subnets.pods(cluster),
        },
    }
    facts: Row = cluster.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {**facts, "derived": derived}


def below(facts: object, key: str) -> object:
    """The part of `full` at a key such as `network.zones[0]`. Raises FleetError with what there is instead."""
    found = facts
    for step in edit.parse_path(key):
        known = found if isinstance(found, dict) else dict(enumerate(found)) if isinstance(found, list) else {}
        if step not in known:
            words = [str(each) for each in known]
            hint = did_you_mean(str(step), words, f"there are: {', '.join(words) or 'no keys below it'}")
            raise wrong("fleet show", f"no `{step}` in `{key}`", hint=hint)
        found = known[step]
    return found
