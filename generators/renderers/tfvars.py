"""Terraform: `terraform/cluster.tfvars.json`, the one input of the root module."""

from __future__ import annotations

from generators.model import gpus, names, sizing, subnets
from generators.model.catalog import PROJECT_FILES, ROOT_APPLICATION, Inputs
from generators.model.identities import identities
from generators.model.managed_groups import ManagedGroup, managed_groups
from generators.model.monitoring import LOG_KINDS
from generators.model.routes import routes
from generators.renderers import alarms, dashboard, repository

Facts = dict[str, object]


def render(inputs: Inputs) -> Facts:
    """Every fact of the cluster that AWS must know, names ready-made."""
    cluster = inputs.cluster
    facts: Facts = {
        "account_id": cluster.account,
        "cluster_name": cluster.name,
        "environment": cluster.environment,
        "kubernetes_version": cluster.kubernetes,
        "region": cluster.region,
        "tags": names.tags(cluster),
        "addon_versions": dict(sorted(cluster.addon_versions.items())),
        "network": _network(inputs),
        "node_groups": node_groups(inputs),
        "identities": _identities(inputs),
        "access": {
            "admin_role_arns": names.admin_arns(cluster),
            "submitter_role_arns": names.submitter_arns(cluster),
            "cognito_domain_prefix": f"{cluster.name}-{cluster.account}",
            "domain": cluster.access.domain,
            "hosted_zone": cluster.access.hosted_zone,
            "load_balancer": cluster.access.load_balancer,
            "load_balancer_name": names.load_balancer(cluster),
            "client_cidrs": [str(block) for block in cluster.access.client_cidrs],
            "routes": {each.app: each.facts() for each in routes(inputs)},
            "public_endpoint": {
                "enabled": bool(cluster.access.api_cidrs),
                "cidrs": [str(block) for block in cluster.access.api_cidrs],
            },
        },
        "storage": _storage(inputs),
        "worker_repository": names.worker_repository(cluster),
        "monitoring": _monitoring(inputs),
        "argocd": {
            "repository": cluster.git.repository,
            "revision": cluster.git.revision,
            "credential": cluster.git.credential,
            "bootstrap": cluster.apps.argo_cd is not None and cluster.apps.argo_cd.bootstrap,
            "applied_first": [
                repository.generated(inputs, "argocd", f"{file}.yaml") for file in (*PROJECT_FILES, ROOT_APPLICATION)
            ],
        },
    }
    return {"terraform/cluster.tfvars.json": facts}


def _network(inputs: Inputs) -> Facts:
    network = inputs.cluster.network
    return {
        "vpc_cidr": str(network.vpc_cidr),
        "pod_cidrs": [str(block) for block in network.pod_cidrs],
        "service_cidr": str(network.service_cidr),
        "cluster_dns": names.cluster_dns(inputs.cluster),
        "private_subnets": subnets.private(inputs.cluster),
        "public_subnets": subnets.public(inputs.cluster),
        "pod_subnets": subnets.pods(inputs.cluster),
        "nat": network.nat,
        "flow_logs": network.flow_logs,
        "cni": network.cni.model_dump(),
    }


def node_groups(inputs: Inputs) -> dict[str, Facts]:
    """Each managed node group by its key."""
    return {each.key: _node_group(inputs, each) for each in managed_groups(inputs.cluster)}


def _node_group(inputs: Inputs, managed: ManagedGroup) -> Facts:
    group = managed.group
    instance = inputs.catalog.instances[group.instance_types[0]]
    return {
        "ami_type": ami_type(instance.arch, gpu=group.gpu is not None),
        "capacity_type": "SPOT" if group.capacity == "spot" else "ON_DEMAND",
        "disk_gb": group.disk_gb,
        "gpus": gpus.offered(group, instance),
        "instance_types": list(group.instance_types),
        "labels": names.node_labels(managed.declared, group, instance),
        "max_size": managed.max,
        "max_pods": sizing.max_pods(inputs, group),
        "max_unavailable": group.max_unavailable,
        "mig": {"profile": group.gpu.mig, "instances": gpus.slices(group, instance)}
        if group.gpu and group.gpu.mig
        else None,
        "min_size": managed.min,
        "mix": managed.mix.model_dump() if managed.mix else None,
        "model_folder": names.MODEL_FOLDER if group.gpu else None,
        "name": managed.name,
        "repair": group.repair,
        "role": group.role,
        "taints": names.node_taints(group),
        "zones": list(managed.zones),
    }


def ami_type(arch: str, *, gpu: bool) -> str:
    """EKS's name of the Amazon Linux 2023 image: AL2 has none from Kubernetes 1.33 on."""
    cpu = "ARM_64" if arch == "arm64" else "x86_64"
    return f"AL2023_{cpu}_{'NVIDIA' if gpu else 'STANDARD'}"


def _identities(inputs: Inputs) -> Facts:
    return {
        each.role_name: {
            "app": each.app,
            "namespace": each.namespace,
            "service_account": each.service_account,
            "statements": each.statements,
        }
        for each in identities(inputs)
    }


def _storage(inputs: Inputs) -> Facts:
    cluster = inputs.cluster
    database = cluster.storage.database
    facts: Facts = {
        "bucket": names.bucket(cluster),
        "pipelines_prefix": cluster.storage.pipelines_prefix,
        "encryption": cluster.storage.encryption,
        "deletable": cluster.storage.deletable,
        "discard_data": cluster.storage.discard_data,
        "database": None,
    }
    if database:
        facts["database"] = {
            **database.model_dump(),
            "identifier": names.database_identifier(cluster),
            "secret": names.database_secret(cluster),
        }
    return facts


def _monitoring(inputs: Inputs) -> Facts:
    cluster = inputs.cluster
    monitoring = cluster.monitoring
    return {
        "log_groups": [names.log_group(cluster, kind) for kind in LOG_KINDS],
        "log_retention_days": monitoring.log_retention_days,
        "alarm_emails": list(monitoring.alarm_emails),
        "budget_usd": monitoring.budget_usd,
        "dashboard": repository.generated(inputs, dashboard.FILE),
        "alarms": repository.generated(inputs, alarms.FILE),
    }
