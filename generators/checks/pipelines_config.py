"""Strict models of what Kubeflow Pipelines and Argo Workflows read: an unknown key is refused before they meet it.

Keys and meaning are those of KFP 2.17.0 (backend/src/apiserver, backend/src/v2/config) and Argo Workflows 4.0.10
(config/config.go); of what those know, what this fleet uses. Argo refuses an unknown key itself, and then does not
start; the API server and the launcher take no notice of one, and then work with something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Quantity = Annotated[str, Field(pattern=r"^[0-9]+(m|Mi|Gi)?$")]
Duration = Annotated[str, Field(pattern=r"^[0-9]+(s|m|h)$")]
Flag = Literal["true", "false"]
Empty = Annotated[str, Field(max_length=0)]
"""A key that must be there and empty: left out, the program falls back to one that is public."""
Host = Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")]
"""A name without scheme, port or a dot at its end."""
Key = Annotated[str, Field(pattern=r"^[^/].*[^/]$")]
"""A key of S3: no slash at either end."""


class Strict(BaseModel):
    """Closed: a key that the program does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class S3(Strict):
    """Argo's artifact repository. `useSDKCreds` is the role of the task's ServiceAccount."""

    endpoint: Host
    bucket: str
    region: str
    insecure: Literal[False]
    use_sdk_creds: Literal[True] = Field(alias="useSDKCreds")
    key_format: Key = Field(alias="keyFormat")


class ArtifactRepository(Strict):
    """Where Argo archives what tasks said."""

    archive_logs: Literal[True] = Field(alias="archiveLogs")
    s3: S3


class Variable(Strict):
    """One variable of an environment."""

    name: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
    value: str


class Resources(Strict):
    """Requests and limits of a container."""

    requests: dict[Literal["cpu", "memory"], Quantity] = {}
    limits: dict[Literal["cpu", "memory"], Quantity] = {}


class ExecutorSecurity(Strict):
    """Argo's image names no user, so that one must be said, and not root."""

    run_as_non_root: Literal[True] = Field(alias="runAsNonRoot")
    run_as_user: Annotated[int, Field(ge=1)] = Field(alias="runAsUser")
    allow_privilege_escalation: Literal[False] = Field(alias="allowPrivilegeEscalation")
    capabilities: dict[Literal["drop"], tuple[Literal["ALL"]]]
    seccomp_profile: dict[Literal["type"], Literal["RuntimeDefault"]] = Field(alias="seccompProfile")


class Executor(Strict):
    """Argo's own containers in a task's pod."""

    image_pull_policy: Literal["IfNotPresent"] = Field(alias="imagePullPolicy")
    resources: Resources
    security_context: ExecutorSecurity = Field(alias="securityContext")
    env: tuple[Variable, ...] = ()


class MainContainer(Strict):
    """What a task's own container has that says nothing itself."""

    resources: Resources
    env: tuple[Variable, ...] = ()


class FailedPodRestart(Strict):
    """Pods that never began begin again."""

    enabled: bool
    max_restarts: Annotated[int, Field(ge=1)] = Field(alias="maxRestarts")


class RateLimit(Strict):
    """Pods a second, and in one go."""

    limit: Annotated[float, Field(gt=0)]
    burst: Annotated[int, Field(ge=1)]


class Backoff(Strict):
    """Waits between attempts: Go's durations, and an int-or-string as text."""

    duration: Duration
    factor: Annotated[str, Field(pattern=r"^[0-9]+$")]


class RetryStrategy(Strict):
    """Which failures of a task are tried again, and how often."""

    limit: Annotated[str, Field(pattern=r"^[0-9]+$")]
    retry_policy: Literal["Always"] = Field(alias="retryPolicy")
    expression: str
    backoff: Backoff


class TemplateDefaults(Strict):
    """What every template has."""

    retry_strategy: RetryStrategy = Field(alias="retryStrategy")


class Toleration(Strict):
    """A taint that tasks do not mind."""

    key: str
    operator: Literal["Equal", "Exists"]
    value: str = ""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]


class PodGc(Strict):
    """When pods of finished tasks go."""

    strategy: Literal["OnPodCompletion", "OnPodSuccess", "OnWorkflowCompletion", "OnWorkflowSuccess"]
    delay: Duration = Field(alias="deleteDelayDuration")


class Ttl(Strict):
    """When Workflows go, in seconds."""

    after_success: Annotated[int, Field(ge=60)] = Field(alias="secondsAfterSuccess")
    after_failure: Annotated[int, Field(ge=60)] = Field(alias="secondsAfterFailure")
    after_completion: Annotated[int, Field(ge=60)] = Field(alias="secondsAfterCompletion")


class WorkflowSpec(Strict):
    """Defaults of each run."""

    node_selector: dict[str, str] = Field(alias="nodeSelector")
    tolerations: tuple[Toleration, ...] = ()
    dns_config: dict[Literal["options"], tuple[dict[Literal["name", "value"], str], ...]] = Field(alias="dnsConfig")
    pod_metadata: dict[Literal["annotations"], dict[str, str]] = Field(alias="podMetadata")
    pod_gc: PodGc = Field(alias="podGC")
    ttl_strategy: Ttl = Field(alias="ttlStrategy")
    template_defaults: TemplateDefaults = Field(alias="templateDefaults")


class WorkflowDefaults(Strict):
    """A Workflow of which only the specification counts."""

    spec: WorkflowSpec


def _yaml(text: object) -> object:
    import yaml  # here, because only a check of this app needs it

    return yaml.load(text, Loader=yaml.CSafeLoader) if isinstance(text, str) else text


class WorkflowController(Strict):
    """ConfigMap `workflow-controller-configmap`: each value is YAML in itself."""

    artifact_repository: Annotated[ArtifactRepository, BeforeValidator(_yaml)] = Field(alias="artifactRepository")
    executor: Annotated[Executor, BeforeValidator(_yaml)]
    main_container: Annotated[MainContainer, BeforeValidator(_yaml)] = Field(alias="mainContainer")
    failed_pod_restart: Annotated[FailedPodRestart, BeforeValidator(_yaml)] = Field(alias="failedPodRestart")
    parallelism: Annotated[int, BeforeValidator(_yaml), Field(ge=1)]
    resource_rate_limit: Annotated[RateLimit, BeforeValidator(_yaml)] = Field(alias="resourceRateLimit")
    workflow_defaults: Annotated[WorkflowDefaults, BeforeValidator(_yaml)] = Field(alias="workflowDefaults")


class FromEnvironment(Strict):
    """The role of the task's ServiceAccount. Without it the launcher looks for a Secret that nobody named."""

    from_env: Literal[True] = Field(alias="fromEnv")


class Provider(Strict):
    """How a launcher reaches S3."""

    endpoint: Host
    region: str
    disable_ssl: Literal[False] = Field(alias="disableSSL")
    credentials: FromEnvironment


class Launcher(Strict):
    """ConfigMap `kfp-launcher`. Without a root, launchers look for SeaweedFS."""

    default_pipeline_root: Annotated[str, Field(pattern=r"^s3://[^/]+/.*[^/]$")] = Field(alias="defaultPipelineRoot")
    providers: Annotated[dict[Literal["s3"], dict[Literal["default"], Provider]], BeforeValidator(_yaml)]


class MySql(Strict):
    """The API server's database; host, port, user and password come from its environment."""

    db_name: str = Field(alias="DBName")
    extra_params: dict[Literal["tls"], Literal["true"]] = Field(alias="ExtraParams")
    group_concat_max_len: str = Field(alias="GroupConcatMaxLen")
    host: str = Field("", alias="Host")
    port: str = Field("", alias="Port")
    user: str = Field("", alias="User")
    password: str = Field("", alias="Password")


class Db(Strict):
    """Connections of the API server."""

    lifetime: Duration = Field(alias="ConMaxLifeTime")
    mysql: MySql = Field(alias="MySQLConfig")


class ObjectStore(Strict):
    """The API server's object store."""

    access_key: Empty = Field(alias="AccessKey")
    secret_access_key: Empty = Field(alias="SecretAccessKey")
    bucket: str = Field(alias="BucketName")
    host: Host = Field(alias="Host")
    port: Empty = Field(alias="Port")
    region: str = Field(alias="Region")
    secure: Literal["true"] = Field(alias="Secure")
    pipeline_path: Key = Field(alias="PipelinePath")


class ApiServer(Strict):
    """config.json of the API server with its environment over it, as it reads the two."""

    driver: Literal["mysql"] = Field(alias="DBDriverName")
    db: Db = Field(alias="DBConfig")
    init_timeout: Duration = Field(alias="InitConnectionTimeout")
    store: ObjectStore = Field(alias="ObjectStoreConfig")
    log_file: Literal["main.log"] = Field(alias="ARCHIVE_CONFIG_LOG_FILE_NAME")
    log_prefix: Key = Field(alias="ARCHIVE_CONFIG_LOG_PATH_PREFIX")
    cache: Flag = Field(alias="CacheEnabled")
    runner: str = Field(alias="DEFAULTPIPELINERUNNERSERVICEACCOUNT")
    block_v1: Flag = Field(alias="BLOCK_V1_PIPELINES")
    visualization_host: Host = Field(alias="ML_PIPELINE_VISUALIZATIONSERVER_SERVICE_HOST")
    visualization_port: str = Field(alias="ML_PIPELINE_VISUALIZATIONSERVER_SERVICE_PORT")


def api_server(config: Mapping[str, Any], environment: Mapping[str, str]) -> ApiServer:
    """As viper does it: `A.B` in the file is `A_B` in the environment, in capitals, which wins even when it is empty.

    Raises pydantic's ValidationError.
    """
    return ApiServer.model_validate(_over(dict(config), ApiServer, environment, ()))


def _over(found: dict[str, Any], model: type[Strict], env: Mapping[str, str], path: tuple[str, ...]) -> dict[str, Any]:
    made = dict(found)
    for name, field in model.model_fields.items():
        key = field.alias or name
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Strict):
            made[key] = _over(dict(found.get(key) or {}), inner, env, (*path, key))
        elif (variable := "_".join((*path, key)).upper()) in env:
            made[key] = env[variable]
    return made
