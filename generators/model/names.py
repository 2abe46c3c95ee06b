"""Every name that two places must agree on, derived once. Terraform, Argo CD and pods all get it from here."""

from __future__ import annotations

from .catalog import Inputs, Instance, Ui
from .cluster import Cluster
from .labels import ACCELERATOR_LABEL as ACCELERATOR_LABEL
from .labels import CUDA_SUFFIX as CUDA_SUFFIX
from .labels import GPU_MODE_LABEL as GPU_MODE_LABEL
from .labels import GPU_PRESENT_LABEL as GPU_PRESENT_LABEL
from .labels import GPU_TAINT as GPU_TAINT
from .labels import GROUP_LABEL as GROUP_LABEL
from .labels import MPS_LABEL as MPS_LABEL
from .labels import PLUGIN_CONFIG_LABEL as PLUGIN_CONFIG_LABEL
from .labels import ROLE_LABEL as ROLE_LABEL
from .labels import SYSTEM_TAINT as SYSTEM_TAINT
from .model_servers import DEFAULT_SET
from .node_groups import Gpu, NodeGroup
from .server_sets import repositories

NODE_LOCAL_DNS = "169.254.20.10"
"""Link-local address of the DNS cache on each node, where node-local-dns runs."""
GPU_ROLE = "gpu"
"""Value of the role label on GPU nodes."""
MODEL_FOLDER = "/var/lib/inference-fleet/models"
"""On every GPU node from its boot, models warmed or not: so pods can be given it before any node is replaced."""
GIT_SECRET = "git-repository"  # noqa: S105 (its name, not what it holds)
"""Secret with which Argo CD reads the repository: made by the bootstrap, kept by external-secrets."""
DATABASE_SECRET_KEY = "database"  # noqa: S105 (its name, not what it holds)
"""The database's secret, as an ExternalSecret of Kubeflow Pipelines names it: its store knows the prefix."""
SUBMITTERS = "inference-fleet:submitters"
"""Kubernetes group of who submits batches. EKS keeps names that begin with `system:` for itself."""
ROLE_NAME_LIMIT = 64
BALANCER_NAME_LIMIT = 32
"""Characters in the name of a load balancer or a target group (AWS, Elastic Load Balancing)."""
CLUSTER_DNS_INDEX = 10
"""EKS gives the cluster DNS Service the tenth address of the service range."""


def role_name(cluster: Cluster, namespace: str, service_account: str) -> str:
    """IAM role of a ServiceAccount, at most 64 characters; a longer name ends in a hash of the whole."""
    whole = f"{cluster.name}-{namespace}-{service_account}"
    return whole if len(whole) <= ROLE_NAME_LIMIT else _hashed(whole, ROLE_NAME_LIMIT)


def role_arn(cluster: Cluster, namespace: str, service_account: str) -> str:
    """ARN of `role_name`."""
    return f"arn:aws:iam::{cluster.account}:role/{role_name(cluster, namespace, service_account)}"


def admin_arns(cluster: Cluster) -> list[str]:
    """ARNs of the administrators' IAM roles."""
    return [f"arn:aws:iam::{cluster.account}:role/{role}" for role in cluster.access.admins]


def submitter_arns(cluster: Cluster) -> list[str]:
    """ARNs of the IAM roles that submit batches; in Kubernetes they are the group SUBMITTERS."""
    inference = cluster.apps.gpu_inference
    roles = inference.submit.roles if inference and inference.submit else ()
    return [f"arn:aws:iam::{cluster.account}:role/{role}" for role in roles]


def bucket(cluster: Cluster) -> str:
    """The cluster's S3 bucket: as written, or made from name, account and region (at most 63 characters)."""
    return cluster.storage.bucket or f"{cluster.name}-{cluster.account}-{cluster.region}"


def state_bucket(account: str, region: str) -> str:
    """The bucket of Terraform's states: one for all clusters of an account and region (at most 63 characters)."""
    return f"inference-fleet-state-{account}-{region}"


def database_identifier(cluster: Cluster) -> str:
    """RDS instance identifier."""
    return f"{cluster.name}-pipelines"


def database_secret(cluster: Cluster) -> str:
    """Secrets Manager secret with host, port, user and password, written by Terraform, read by external-secrets.

    RDS makes the host name when Terraform runs; this is where it is found: see ADR 7.
    """
    return secret_prefix(cluster, "kubeflow-pipelines") + DATABASE_SECRET_KEY


def secret_prefix(cluster: Cluster, app: str) -> str:
    """How the names of an app's Secrets Manager secrets begin; its store puts this before each key."""
    return f"{cluster.name}/{app}/"


def secret_store(app: str) -> str:
    """ClusterSecretStore of an app with `secrets: true`: for its namespace, and for what `secret_prefix` names."""
    return app


def git_credential(cluster: Cluster) -> tuple[str, str] | None:
    """Secret of `git.credential` as its store and an ExternalSecret name it: prefix and key. None if git is public."""
    if cluster.git.credential is None:
        return None
    folder, slash, key = cluster.git.credential.rpartition("/")
    return folder + slash, key


def s3_endpoint(cluster: Cluster) -> str:
    """S3's host in the region. Never with a dot at its end: signatures and TLS hold the name without."""
    return f"s3.{cluster.region}.amazonaws.com"


def pipeline_root(cluster: Cluster) -> str:
    """Where drivers and launchers keep what tasks hand on."""
    return f"s3://{bucket(cluster)}/{cluster.storage.pipelines_prefix}artifacts"


def pipeline_logs(cluster: Cluster) -> str:
    """Key below which Argo keeps what tasks said, without a slash at its end."""
    return f"{cluster.storage.pipelines_prefix}logs"


def load_balancer(cluster: Cluster) -> str:
    """Name of the ALB. AWS keeps names that begin with `internal-` for itself, so the cluster's comes second."""
    whole = f"ui-{cluster.name}"
    return whole if len(whole) <= BALANCER_NAME_LIMIT else _hashed(whole, BALANCER_NAME_LIMIT)


def target_group(cluster: Cluster, app: str, ui: Ui) -> str:
    """Name of an app's target group. Its hash holds the port: one with another port is made before the old one goes."""
    return _hashed(f"{cluster.name}-{app}", BALANCER_NAME_LIMIT, f"{cluster.name}/{app}:{ui.node_port}")


def ui_host(cluster: Cluster, ui: Ui) -> str:
    """Full host name of an app's pages."""
    return f"{ui.host}.{cluster.access.domain}"


def cluster_dns(cluster: Cluster) -> str:
    """Address of the kube-dns Service."""
    return str(cluster.network.service_cidr.network_address + CLUSTER_DNS_INDEX)


def zones(cluster: Cluster, letters: tuple[str, ...] = ()) -> list[str]:
    """Availability zones by full name, for example ap-northeast-1a: of these letters, or all of the cluster's."""
    return [cluster.region + letter for letter in letters or cluster.network.zones]


def nat_zones(cluster: Cluster) -> list[str]:
    """Zones with a NAT gateway, by full name, sorted: all, or the first."""
    found = sorted(zones(cluster))
    return found if cluster.network.nat == "per-zone" else found[:1]


def log_group(cluster: Cluster, kind: str) -> str:
    """Log group of Container Insights; kind is one of LOG_KINDS."""
    return f"/aws/containerinsights/{cluster.name}/{kind}"


def dashboard_url(cluster: Cluster) -> str:
    """The cluster's dashboard in the AWS console."""
    host = f"https://{cluster.region}.console.aws.amazon.com/cloudwatch/home"
    return f"{host}?region={cluster.region}#dashboards/dashboard/{cluster.name}"


def registry(cluster: Cluster) -> str:
    """The account's own ECR registry."""
    return f"{cluster.account}.dkr.ecr.{cluster.region}.amazonaws.com"


def worker_repository(cluster: Cluster) -> str:
    """ECR repository of the cluster's worker images: its own, so that one state owns it (ADR 30)."""
    return f"{cluster.name}/inference-worker"


def worker_image(cluster: Cluster, version: str) -> str:
    """Image of our inference worker."""
    return f"{registry(cluster)}/{worker_repository(cluster)}:{version}"


def server(model_set: str) -> str:
    """Service of a set's model servers, and what their other names begin with; `server` of the set `default`."""
    return "server" if model_set == DEFAULT_SET else f"{model_set}-server"


def coredns_image(inputs: Inputs) -> str:
    """EKS's CoreDNS image for the cluster's region and Kubernetes minor."""
    facts = inputs.catalog
    account = facts.regions[inputs.cluster.region].eks_registry
    tag = facts.minors[inputs.cluster.kubernetes].coredns
    return f"{account}.dkr.ecr.{inputs.cluster.region}.amazonaws.com/eks/coredns:{tag}"


def node_role(group: NodeGroup) -> str:
    """Value of the role label: system, gpu or worker."""
    return GPU_ROLE if group.gpu else group.role


def node_labels(name: str, group: NodeGroup, instance: Instance) -> dict[str, str]:
    """All labels of a group's nodes that EKS does not set itself, sorted by key."""
    labels = {ROLE_LABEL: node_role(group), GROUP_LABEL: name, **group.labels}
    if group.gpu:
        labels[GPU_MODE_LABEL] = group.gpu.mode
        labels[ACCELERATOR_LABEL] = instance.gpu_name
        labels[GPU_PRESENT_LABEL] = "true"
        labels[PLUGIN_CONFIG_LABEL] = plugin_config(group.gpu)
        if group.gpu.sharing == "mps":
            labels[MPS_LABEL] = "true"
    return dict(sorted(labels.items()))


def plugin_config(gpu: Gpu) -> str:
    """Name of the device plugin's configuration: whole GPUs, or so many slices of each."""
    if gpu.slices is None:
        return "whole"
    return f"{'mps' if gpu.sharing == 'mps' else 'sliced'}-{gpu.slices}"


def node_taints(group: NodeGroup) -> list[dict[str, str]]:
    """All taints of a group's nodes: by role, by GPU, then those written."""
    taints = [SYSTEM_TAINT] if group.role == "system" else []
    taints += [GPU_TAINT] if group.gpu else []
    return [*taints, *(taint.model_dump() for taint in group.taints)]


def asg_pattern(group_name: str) -> str:
    """Regular expression of the Auto Scaling groups that EKS makes for a node group: `eks-<group>-<checksum>-<uuid>`.

    While a group is replaced, it matches the old one and the new one.
    """
    return rf"^eks-{group_name}-[0-9a-f]{{8}}-[0-9a-f]{{8}}-[0-9a-f-]{{27}}$"


def tags(cluster: Cluster) -> dict[str, str]:
    """Tags on everything that Terraform makes."""
    return {"cluster": cluster.name, "environment": cluster.environment, "managed-by": "terraform"}


def placeholders(cluster: Cluster) -> dict[str, tuple[str, ...]]:
    """What `{…}` in an identity's statements may stand for. Several values make several resources, none makes none."""
    inference, pipelines = cluster.apps.gpu_inference, cluster.apps.kubeflow_pipelines
    inputs, outputs = batch_prefixes(cluster)
    return {
        "account": (cluster.account,),
        "bucket": (bucket(cluster),),
        "cluster": (cluster.name,),
        "git_credential": (cluster.git.credential,) if cluster.git.credential else (),
        "job_inputs": inputs,
        "job_outputs": outputs,
        "model_repositories": repositories(inference) if inference else (),
        "pipeline_inputs": pipelines.inputs if pipelines else (),
        "pipeline_outputs": pipelines.outputs if pipelines else (),
        "pipelines_prefix": (cluster.storage.pipelines_prefix,),
        "region": (cluster.region,),
    }


def batch_prefixes(cluster: Cluster) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Prefixes of the bucket that the workers' role reads, and those that it writes: of batches in git and others.

    None of them lies within another.
    """
    inference = cluster.apps.gpu_inference
    jobs, more = (inference.jobs.values(), inference.submit) if inference else ((), None)
    inputs = {*(job.input for job in jobs), *(more.inputs if more else ())}
    outputs = {*(job.output for job in jobs), *(more.outputs if more else ())}
    return _outermost(inputs), _outermost(outputs)


def _outermost(prefixes: set[str]) -> tuple[str, ...]:
    return tuple(sorted(each for each in prefixes if not each.startswith(tuple(prefixes - {each}))))


def _hashed(text: str, limit: int, unique: str = "") -> str:
    """As much of `text` as fits before eight hexadecimal digits that stand for `unique`, or for the text itself."""
    import hashlib  # here, because few names need it

    return f"{text[: limit - 9]}-{hashlib.sha256((unique or text).encode()).hexdigest()[:8]}"
