"""Settings that a cluster file may give an app. An app without a class here has none of its own."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from .access import RoleName
from .base import Matching, Model, Name, S3Prefix, refuse
from .model_servers import Image, ModelServer, ServedModel


def _compute(value: Any) -> Any:
    if value == "fargate":
        raise refuse(
            "CoreDNS does not run on Fargate: it failed there with DNS errors, a Fargate pod has no node to spread "
            "over, and each one has its own micro-VM's packet limit",
            "leave `compute` out; it runs on the node groups with `role: system`",
        )
    return value


class AppSettings(Model):
    """Settings of an app that has none of its own."""


class CorednsSettings(AppSettings):
    """How much DNS traffic to plan for; replicas and resources follow."""

    compute: Annotated[Literal["nodes"], BeforeValidator(_compute)] = "nodes"
    replicas: Annotated[int, Field(ge=5, le=10)] | None = None
    """Left out, it follows from nodes and cores, between 5 and 10."""
    queries_per_node: Annotated[int, Field(ge=1, le=10_000)] = 20
    """Queries per second that a busy node's pods send at peak. Measure it: CoreDNS's coredns_dns_requests_total."""
    external_percentage: Annotated[int, Field(ge=0, le=100)] = 20
    """Share of the queries that leave the cluster uncached for the VPC resolver, in percent."""


class ArgoCdSettings(AppSettings):
    """How Argo CD gets onto a new cluster."""

    bootstrap: bool = True
    """Terraform installs it at the end of an apply. Off where Terraform cannot reach the API server; then run
    `make bootstrap NAME=` where it can be reached."""


class CloudwatchAgentSettings(AppSettings):
    """What Container Insights measures. What it costs: docs/how-to/watch-a-cluster.md."""

    enhanced: bool = True
    """Each container, the states of pods, and the control plane; without it, alarms of restarts have no data."""
    interval_seconds: Annotated[int, Field(ge=10, le=3600)] = 60
    """Seconds between two measurements. CloudWatch bills each of them."""


class EbsCsiSettings(AppSettings):
    """Volumes for pods."""

    default_class: bool = True
    """A claim that names no StorageClass gets `gp3`."""


class NodeTerminationHandlerSettings(AppSettings):
    """EKS itself drains nodes of managed node groups when spot takes them; this is for what it does not do."""

    scheduled_events: bool = False
    """Drain a node before EC2's scheduled maintenance of its host: mostly of on-demand nodes that live for long."""


class DcgmExporterSettings(AppSettings):
    """Metrics of GPUs."""

    profiling: bool = False
    """Counters of tensor cores, memory interface and PCIe too; the driver gives them to CAP_SYS_ADMIN only."""


class ClusterAutoscalerSettings(AppSettings):
    """Pace of scaling in."""

    scale_down_unneeded: Annotated[str, Matching(r"[1-9][0-9]*[smh]", "a duration", "10m")] = "10m"
    """How long a node must be idle before it is removed."""


def _pattern(text: str) -> str:
    """Fluent Bit starts on no node with a pattern that is none. It reads Ruby's kind, of which Python's is a part."""
    import re  # here, because few clusters have any

    if "${" in text:
        raise refuse(f"`{text}` holds `${{`, which Fluent Bit takes for a variable", "write `[$]{` instead")
    try:
        re.compile(text)
    except re.error as error:
        raise refuse(f"`{text}` is no regular expression: {error}") from None
    return text


Pattern = Annotated[str, Field(pattern=r"^\S([^\n]*\S)?$", max_length=500), AfterValidator(_pattern)]
Sampled = Annotated[
    str,
    Matching(
        r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(/[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?",
        "a namespace, or a namespace and one of its containers",
        "gpu-inference/server",
    ),
]
LogKind = Literal["application", "dataplane", "host"]


class FluentBitSettings(AppSettings):
    """Which logs reach CloudWatch. It bills each GB written, so what nobody reads is best left out here."""

    logs: Annotated[tuple[LogKind, ...], Field(min_length=1)] = ("application", "dataplane", "host")
    """Of pods, of kubelet and its like, of the nodes themselves."""
    excluded_namespaces: tuple[Name, ...] = ()
    """Logs of these namespaces' pods stay on the nodes."""
    sampled_namespaces: dict[Sampled, Annotated[int, Field(ge=1, le=99)]] = {}
    """Namespace, or namespace/container, to the percentage of its lines that are kept, of those on stdout; those on
    stderr are all kept, and metrics."""
    drop_patterns: tuple[Pattern, ...] = ()
    """Lines that match one of these regular expressions are dropped."""
    lines_per_second: Annotated[int, Field(ge=10, le=100_000)] | None = None
    """Most lines of pods that a node sends in a second, on average over five; what is more is lost."""
    host_priority: Annotated[int, Field(ge=0, le=7)] = 4
    """Of the nodes' journal, what is as grave as this syslog priority or graver: 4 is a warning, 7 everything."""


Schedule = Annotated[
    str,
    Matching(
        r"([0-9*/,-]+ ){2}([0-9*/,-]+|\?) ([0-9A-Za-z*/,-]+) ([0-9A-Za-z*/,-]+)", "a cron schedule", '"0 3 * * *"'
    ),
]
TimeZone = Annotated[str, Matching(r"[A-Z][A-Za-z_]+(/[A-Za-z0-9_+-]+)*", "a time zone", "Asia/Tokyo")]
ModelName = Annotated[
    str,
    Matching(
        r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*",
        "a model's name, or the key of an ONNX file",
        "models/resnet50/1/model.onnx",
    ),
]
Percentage = Annotated[int, Field(ge=1, le=100)]


class InferenceJob(Model):
    """One batch over an S3 prefix, as an indexed Job an index for each shard; with a `schedule`, again and again."""

    node_group: Name
    """The GPU node group that runs it."""
    fallback: tuple[Name, ...] = ()
    """Further GPU node groups of the same mode and slices, where shards go when the first cannot grow: on-demand ones
    for a spot group."""
    input: S3Prefix
    output: S3Prefix
    model: ModelName
    """Beside a model server, its name there; elsewhere, the key of an ONNX file in the bucket."""
    server: Name | None = None
    """The set of `servers` that is asked; left out, the only one on the node group."""
    shards: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Left out, ten times what the node groups can hold at once: then a larger `max` makes another Job of it."""
    parallelism: Annotated[int, Field(ge=1, le=5_000)] | None = None
    """Shards at a time; left out, as many as the node groups' GPUs can hold."""
    deadline_hours: Annotated[int, Field(ge=1, le=336)] = 24
    """After this the Job ends, done or not: an image that cannot be pulled must not hold GPU nodes for ever."""
    failed_percentage: Percentage = 10
    """The Job ends when more of its shards than these have failed for good."""
    enough_percentage: Annotated[int, Field(ge=1, le=99)] | None = None
    """The Job is done when so many of its shards are, and the others are stopped; left out, all of them."""
    gpu_memory_mib: Annotated[int, Field(ge=1)] | None = None
    """What the model needs of a GPU; a group whose GPUs or slices have less is refused."""
    suspend: bool = False
    """Stands in the cluster and runs nothing. Taken back, it goes on where it was."""
    schedule: Schedule | None = None
    """Minute, hour, day of month, month, day of week: a CronJob. A batch that still runs is not joined by another."""
    time_zone: TimeZone = "Etc/UTC"
    """Of the schedule."""


class SubmittedBatches(Model):
    """Batches that are not in git, which `fleet jobs submit` makes: where they may read and write, and who may."""

    inputs: Annotated[tuple[S3Prefix, ...], Field(min_length=1)] = ("movies/",)
    """Prefixes of the bucket that they may read, beside those that `jobs` name."""
    outputs: Annotated[tuple[S3Prefix, ...], Field(min_length=1)] = ("results/submitted/",)
    """Prefixes that they may write, beside those that `jobs` name."""
    roles: tuple[RoleName, ...] = ()
    """IAM roles of this account that submit batches, look at all and cancel their like, by EKS access entries, and do
    nothing else in the cluster. Administrators may all that."""


class GpuInferenceSettings(AppSettings):
    """The model servers on `server` groups, and the batches."""

    model_repository: S3Prefix = "models/"
    """Where the models lie in the bucket, one folder each as Triton wants them. The server reads it when it starts."""
    models: tuple[ServedModel, ...] = ()
    """Models of the repository that the server loads and is not ready without; left out, all that are there. Where
    there are `servers`, each set says its own."""
    server_image: Image = "nvcr.io/nvidia/tritonserver:25.08-py3"
    """Triton, for each set that names no image."""
    servers: dict[Name, ModelServer] = {}
    """Sets of models by name, each with a server of its own on every node of its groups; left out, one of `models`,
    whose name is `default`."""
    warm_images: tuple[Image, ...] = ()
    """Images that every GPU node pulls before a pod asks for them: the next `server_image`, a day before it is that.
    Taken out again, nodes drop them when their disks fill."""
    warm_models: bool = False
    """Every GPU node keeps the models that its servers and batches name in a folder of its own, before their pods start
    and for all of them; what is no longer named goes. How much they may take follows from the group's `disk_gb`."""
    worker_version: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$")] = "0.1.0"
    """Tag of our own worker image in the cluster's ECR repository; left out, that of the same commit's worker."""
    jobs: dict[Name, InferenceJob] = {}
    submit: SubmittedBatches | None = None
    """Left out, `fleet jobs submit` is held to the prefixes of `jobs`."""


class KubeflowPipelinesSettings(AppSettings):
    """What runs may read and write, how many there are at once, and the optional parts."""

    inputs: tuple[S3Prefix, ...] = ("models/", "movies/")
    """Prefixes of the bucket that the tasks of a run may read."""
    outputs: tuple[S3Prefix, ...] = ("results/pipelines/",)
    """Prefixes that they may read and write, beside storage.pipelines_prefix."""
    parallel_runs: Annotated[int, Field(ge=1, le=1_000)] = 50
    """Runs at a time; more of them wait."""
    pods_per_second: Annotated[int, Field(ge=1, le=100)] = 20
    """Pods that all runs together may start in a second: the Kubernetes API and STS see each of them."""
    scheduled_runs: bool = True
    """Recurring runs, by schedule. Off, the pages still offer them, and starting one is refused."""
    viewer: bool = False
    """TensorBoard out of the pages, one program for each person who opens it."""


class Apps(Model):
    """Apps that the cluster runs, by name. Which names exist, the catalogue decides: see `rules.py`."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, AppSettings] = Field(init=False)

    argo_cd: ArgoCdSettings | None = Field(None, alias="argo-cd")
    aws_ebs_csi_driver: EbsCsiSettings | None = Field(None, alias="aws-ebs-csi-driver")
    aws_node_termination_handler: NodeTerminationHandlerSettings | None = Field(
        None, alias="aws-node-termination-handler"
    )
    cloudwatch_agent: CloudwatchAgentSettings | None = Field(None, alias="cloudwatch-agent")
    cluster_autoscaler: ClusterAutoscalerSettings | None = Field(None, alias="cluster-autoscaler")
    coredns: CorednsSettings | None = None
    dcgm_exporter: DcgmExporterSettings | None = Field(None, alias="dcgm-exporter")
    fluent_bit: FluentBitSettings | None = Field(None, alias="fluent-bit")
    gpu_inference: GpuInferenceSettings | None = Field(None, alias="gpu-inference")
    kubeflow_pipelines: KubeflowPipelinesSettings | None = Field(None, alias="kubeflow-pipelines")

    def names(self) -> list[str]:
        """Names of the apps that are on, sorted."""
        typed = {field.alias or name: getattr(self, name) for name, field in type(self).model_fields.items()}
        return sorted(
            [name for name, settings in typed.items() if settings is not None] + list(self.__pydantic_extra__)
        )
