"""`README.md` of the generated folder: what this cluster gets, for the reader of a pull request."""

from __future__ import annotations

from collections.abc import Iterable

from generators.model import names, sizing
from generators.model.catalog import App, Inputs
from generators.model.identities import identities
from generators.model.node_groups import NodeGroup
from generators.model.routes import routes


def render(inputs: Inputs) -> dict[str, object]:
    """One page of tables. The file is also the guard: `fleet` removes nothing from a folder that lacks it."""
    cluster = inputs.cluster
    sections = [
        f"# {cluster.name}",
        f"{cluster.environment}, EKS {cluster.kubernetes} in {cluster.region} ({', '.join(cluster.network.zones)}), "
        f"account {cluster.account}. Made from [cluster.yaml](../cluster.yaml): change that, then `make render`.",
        "## Nodes",
        _table(
            ("group", "types", "capacity", "min", "max", "vCPU at max", "GPUs at max", "USD/h at min", "USD/h at max"),
            [_group_row(inputs, name, group) for name, group in sorted(cluster.node_groups.items())],
        ),
        "Prices are Linux on-demand in us-east-1; spot costs less, other regions differ.",
        "## Apps",
        _table(("wave", "app", "kind", "namespace", "version", "owner"), _app_rows(inputs.apps())),
        "## Identities",
        _table(
            ("ServiceAccount", "IAM role"),
            [(f"{each.namespace}/{each.service_account}", f"`{each.role_name}`") for each in identities(inputs)],
        ),
        "## Names",
        _table(("what", "name"), _names(inputs)),
    ]
    return {"README.md": "\n\n".join(sections) + "\n"}


def _table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _group_row(inputs: Inputs, name: str, group: NodeGroup) -> tuple[object, ...]:
    instance = inputs.catalog.instances[group.instance_types[0]]
    way = f"{group.gpu.mode}, MIG {group.gpu.mig}" if group.gpu and group.gpu.mig else group.gpu and group.gpu.mode
    gpus = f"{instance.gpus * group.max} {instance.gpu_name} ({way})" if group.gpu else ""
    prices = [f"{instance.usd_hour * count:.2f}" if instance.usd_hour else "" for count in (group.min, group.max)]
    types = ", ".join(group.instance_types)
    return (name, types, group.capacity, group.min, group.max, instance.vcpu * group.max, gpus, *prices)


def _app_rows(apps: dict[str, App]) -> list[tuple[object, ...]]:
    ordered = sorted(apps.items(), key=lambda item: (item[1].wave, item[0]))
    return [
        (app.wave, name, app.kind, app.namespace, app.chart.version if app.chart else "this repository", app.owner)
        for name, app in ordered
    ]


def _names(inputs: Inputs) -> list[tuple[str, str]]:
    cluster = inputs.cluster
    ends = inputs.catalog.minors[cluster.kubernetes].standard_support_ends
    rows = [
        ("Kubernetes", f"{cluster.kubernetes}, in AWS's standard support until {ends}"),
        *((f"pages of {each.app}", each.url) for each in routes(inputs)),
        ("bucket", f"`{names.bucket(cluster)}`"),
        ("VPC", f"`{cluster.network.vpc_cidr}`"),
        ("cluster DNS", f"`{names.cluster_dns(cluster)}`"),
    ]
    if cluster.apps.coredns:
        dns = sizing.dns(inputs)
        local = "node-local-dns" in cluster.apps.names()
        load = "a cache on each node takes most of" if local else f"{dns.forwarded} of them leave the cluster, of"
        rows.append(("CoreDNS", f"{dns.replicas} replicas; {load} {dns.queries} queries/s planned"))
    if cluster.storage.database:
        rows.append(("database", f"`{names.database_identifier(cluster)}`, secret `{names.database_secret(cluster)}`"))
    rows.append(("dashboard", f"[{cluster.name}]({names.dashboard_url(cluster)})"))
    if cluster.monitoring.budget_usd:
        rows.append(("budget", f"{cluster.monitoring.budget_usd:,} USD a month, of what has the tag `cluster`"))
    return rows
