"""CloudWatch: `terraform/dashboard.json`, from `terraform/dashboards/cluster.jsonnet`.

Terraform reads it as a template: names of Auto Scaling groups, NAT gateways and the load balancer exist only there.
"""

from __future__ import annotations

from generators.model import names
from generators.model.catalog import Inputs
from generators.model.managed_groups import managed_groups
from generators.model.monitoring import LOG_KINDS
from generators.model.routes import routes
from generators.renderers import jsonnet
from generators.renderers.charts import cloudwatch_agent, fluent_bit

FILE = "terraform/dashboard.json"
SOURCE = "terraform/dashboards/cluster.jsonnet"
PIPELINES_APP = "kubeflow-pipelines"
Facts = dict[str, object]


def render(inputs: Inputs) -> Facts:
    """The body of the cluster's dashboard. Raises FleetError where the jsonnet refuses."""
    return {FILE: jsonnet.evaluate(inputs, SOURCE, argument(inputs))}


def argument(inputs: Inputs) -> Facts:
    """What the dashboard's function gets."""
    cluster = inputs.cluster
    pipelines = inputs.apps().get(PIPELINES_APP)
    return {
        "name": cluster.name,
        "region": cluster.region,
        "bucket": names.bucket(cluster),
        "database": names.database_identifier(cluster) if cluster.storage.database else None,
        "nodeGroups": [each.key for each in managed_groups(cluster)],
        "gpuGroups": sorted(name for name, group in cluster.node_groups.items() if group.gpu),
        "gpusAsked": cloudwatch_agent.asks_gpus(inputs),
        "pipelines": pipelines.namespace if pipelines else None,
        "batches": next(iter(fluent_bit.metric_namespaces(inputs)), None),
        "loadBalancer": bool(routes(inputs)),
        "natZones": names.nat_zones(cluster),
        "applicationLogs": names.log_group(cluster, "application"),
        "logGroups": [names.log_group(cluster, kind) for kind in LOG_KINDS],
    }
