"""The catalogue: what an app is, and reference facts (instance types, regions, versions) to hold models to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from .base import LabelValue, Matching, Model, Name, Text
from .cluster import Cluster
from .exceptions import Excusable, ObjectPattern

ROOT_APPLICATION = "root"
PROJECTS = ("bootstrap", "argo-cd", "fleet")
"""AppProjects: of the root Application, of Argo CD itself, of all other apps."""
PROJECT_FILES = tuple(f"project-{name}" for name in PROJECTS)
RESERVED_APP_NAMES = frozenset({ROOT_APPLICATION, *PROJECT_FILES})
"""Taken in `generated/argocd/`: the root Application and the AppProjects."""

Version = Annotated[
    str,
    Matching(r"[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?", "an exact chart version", '"9.59.0"'),
]
GroupKind = Annotated[
    str,
    Matching(r"([a-z0-9.-]+)?/[A-Z][A-Za-z0-9]+", "`group/Kind`", "rbac.authorization.k8s.io/ClusterRole"),
]


class HeldValue(Model):
    """What a value of a chart must be on every cluster, and why."""

    value: bool | int | str
    reason: Text


class Chart(Model):
    """A third-party Helm chart, pinned."""

    repository: Annotated[
        str,
        Matching(
            r"(https://[^\s/]+(/\S*)?|http://127\.0\.0\.1:[0-9]+|[a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]+)?(/[a-z0-9._-]+)+)",
            "an https:// URL, or the path of an OCI registry without oci://",
            "https://example.github.io/charts",
        ),
    ]
    """Helm repository URL, or an OCI registry path without oci://. Plain http is for a server of one's own machine."""
    name: Name
    version: Version
    open_values: dict[str, Text] = {}
    """Value paths that the chart passes on whole though its defaults name some keys, each with the reason."""
    held_values: dict[str, HeldValue] = {}
    """Value paths that no values file may say otherwise."""


Action = Annotated[
    str, Matching(r"[a-z0-9-]+:[A-Za-z]+\*?", "the full name of an action of an AWS service", "s3:GetObject")
]


class Statement(Model):
    """One IAM policy statement. Resources and condition values may hold {placeholders}: see `names.placeholders`."""

    actions: Annotated[tuple[Action, ...], Field(min_length=1)]
    resources: Annotated[tuple[Text, ...], Field(min_length=1)]
    conditions: dict[Text, dict[Text, tuple[Text, ...]]] = {}
    """IAM operator → condition key → values."""
    reason: Text | None = None
    """Why a resource must be `*`; required where one is."""


class Identity(Model):
    """What one ServiceAccount may do in AWS. The IAM role, its trust and the annotation all come from here."""

    values_path: (
        Annotated[str, Matching(r"[A-Za-z0-9]+(\.[A-Za-z0-9]+)*", "a path of values", "rbac.serviceAccount")] | None
    ) = None
    """Where the chart takes the ServiceAccount (`create`, `name`, `annotations` lie below); kind helm only."""
    sdk: Literal["any", "boto3", "cpp", "fluent-bit", "go-v1", "go-v2", "java-v2", "javascript-v3", "minio-go"] = "any"
    """What its pods call AWS with, which decides what they must find in their environment; `any` is checked for all."""
    statements: Annotated[tuple[Statement, ...], Field(min_length=1)]


class Ui(Model):
    """Pages of an app that people reach through the cluster's load balancer, after its login."""

    host: Annotated[str, Matching(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", "one label of a host name", "argocd")]
    """The pages are at `<host>.<the cluster's domain>`."""
    node_port: Annotated[int, Field(ge=30000, le=32767)]
    """Port of its NodePort Service, HTTP; the load balancer's target."""
    health_path: Annotated[str, Field(pattern=r"^/\S*$")] = "/healthz"
    """Path that answers 200 when the app can serve."""


class App(Model):
    """One app of the catalogue: `apps/<app>/app.yaml`."""

    description: Text
    owner: LabelValue
    """Team that answers for it; a label of its Application."""
    namespace: Name
    kind: Literal["helm", "kustomize", "jsonnet"]
    chart: Chart | None = None
    """A third-party chart; kind helm."""
    own_chart: Name | None = None
    """A chart of this repository, by its folder in charts/; kind helm, instead of `chart`."""
    wave: Annotated[int, Field(ge=-50, le=50)]
    """Argo CD sync wave: lower comes first, and the next waits until it is healthy."""
    pod_security: Literal["restricted", "baseline", "privileged"] | None = None
    """Pod Security level of its namespace; None where the namespace is not ours (kube-system)."""
    cascade: bool = True
    """Removing the Application removes its objects. False where that would take the cluster down."""
    cluster_resources: tuple[GroupKind, ...] = ()
    """Cluster-scoped kinds that it may make; the AppProject allows these and no others."""
    secrets: bool = False
    """Its ExternalSecrets may read `<cluster>/<app>/…` of Secrets Manager, through a ClusterSecretStore of its name."""
    ui: Ui | None = None
    """Pages for people, where it has some."""
    identities: dict[Name, Identity] = {}
    """Workload identities by ServiceAccount name."""
    exceptions: dict[Excusable, dict[ObjectPattern, Text]] = {}
    """Policy rules that objects of the app break for a reason: rule → `Kind/name` → the reason."""


@dataclass(frozen=True)
class MigProfile:
    """One way to partition a GPU: how many instances it then holds, and the memory of each in MiB."""

    instances: int
    memory_mib: int


@dataclass(frozen=True)
class Instance:
    """An EC2 instance type. Memory in MiB (GPU memory per GPU); max_pods without and with prefix delegation."""

    arch: str
    vcpu: int
    memory_mib: int
    max_pods: int
    max_pods_prefix: int
    gpus: int = 0
    gpu_name: str = ""
    gpu_memory_mib: int = 0
    gpu_manufacturer: str = ""
    usd_hour: float | None = None
    mig: Mapping[str, MigProfile] = field(default_factory=dict)
    """MIG profiles of its GPUs by name; empty where they have no MIG."""

    @property
    def shape(self) -> tuple[str, int, int, str, int, int]:
        """What cluster-autoscaler and our pods take to be equal for all types of a group."""
        return (self.arch, self.vcpu, self.memory_mib, self.gpu_name, self.gpus, self.gpu_memory_mib)


@dataclass(frozen=True)
class RegionFacts:
    """An AWS region: the account whose registry holds EKS's own images, and zones to start from."""

    eks_registry: str
    zones: tuple[str, ...]


@dataclass(frozen=True)
class MinorFacts:
    """A Kubernetes minor on EKS: image tags and the nodes' kernel that belong to it, and AWS's dates (ISO)."""

    coredns: str
    cluster_autoscaler: str
    kernel: str
    """Linux of the Amazon Linux 2023 images on x86."""
    on_eks_since: str
    standard_support_ends: str
    extended_support_ends: str


@dataclass(frozen=True)
class ChartValues:
    """Value paths of a pinned chart: path → `string`, `int`, `bool`, `list`, `map`, `map (open)` or `null (unset)`."""

    version: str
    paths: Mapping[str, str]


@dataclass(frozen=True)
class Catalog:
    """Everything that is the same for all clusters."""

    apps: Mapping[str, App]
    instances: Mapping[str, Instance]
    regions: Mapping[str, RegionFacts]
    minors: Mapping[str, MinorFacts]
    chart_values: Mapping[str, ChartValues]
    jsonnet: Mapping[str, str]
    """Text of each jsonnet file by its path in the repository."""
    registries: Mapping[str, str]
    """Registries, or repositories in them, that images may come from beside the account's own → the reason."""
    rds_ca: Mapping[str, str] = field(default_factory=dict)
    """Certificate authorities of RDS by region, as PEM."""
    value_schemas: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """JSON Schema of the values of each chart of ours, by its folder in charts/."""
    plain_values: frozenset[str] = frozenset()
    """Apps that have an `apps/<app>/values.yaml`."""


@dataclass(frozen=True)
class Inputs:
    """What a renderer gets: one cluster, the catalogue, and which apps have a hand-written override."""

    cluster: Cluster
    catalog: Catalog
    overrides: frozenset[str] = frozenset()
    """Apps with a `clusters/<c>/values/<app>.yaml`."""

    def apps(self) -> dict[str, App]:
        """The cluster's apps with their catalogue entries, by name."""
        return {name: self.catalog.apps[name] for name in self.cluster.apps.names()}
