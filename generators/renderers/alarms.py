"""CloudWatch: `terraform/alarms.json`, from `terraform/dashboards/alarms.jsonnet`.

Names of Auto Scaling groups, NAT gateways, the load balancer and its target groups exist only in Terraform, which puts
them in the places that the dimensions name.
"""

from __future__ import annotations

from generators.model import names, sizing
from generators.model.catalog import Inputs
from generators.model.managed_groups import managed_groups
from generators.model.monitoring import AGENT_APP, database_memory_gib
from generators.model.routes import routes
from generators.renderers import jsonnet
from generators.renderers.charts import fluent_bit

FILE = "terraform/alarms.json"
SOURCE = "terraform/dashboards/alarms.jsonnet"
Facts = dict[str, object]


def render(inputs: Inputs) -> Facts:
    """The cluster's alarms, of one metric and of a formula. Raises FleetError where the jsonnet refuses."""
    return {FILE: jsonnet.evaluate(inputs, SOURCE, argument(inputs))}


def argument(inputs: Inputs) -> Facts:
    """What the alarms' function gets."""
    cluster = inputs.cluster
    return {
        "name": cluster.name,
        "agent": AGENT_APP in cluster.apps.names(),
        "batches": bool(fluent_bit.metric_namespaces(inputs)),
        "logGroup": _log_group(inputs),
        "dnsPodsMin": sizing.dns_pods_min(inputs),
        "nodeGroups": [each.key for each in managed_groups(cluster)],
        "natZones": names.nat_zones(cluster),
        "pages": [each.app for each in routes(inputs)],
        "database": _database(inputs),
    }


def _log_group(inputs: Inputs) -> str | None:
    """A group that logs must reach at all times: the busiest of those that are sent; None where none is."""
    settings = inputs.cluster.apps.fluent_bit
    sent = [kind for kind in ("dataplane", "application", "host") if settings and kind in settings.logs]
    return names.log_group(inputs.cluster, sent[0]) if sent else None


def _database(inputs: Inputs) -> Facts | None:
    cluster = inputs.cluster
    if cluster.storage.database is None:
        return None
    return {
        "identifier": names.database_identifier(cluster),
        "storageGb": cluster.storage.database.storage_gb,
        "memoryGib": database_memory_gib(cluster.storage.database.instance_class),
    }
