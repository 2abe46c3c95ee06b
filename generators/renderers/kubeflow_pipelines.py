"""A cluster's facts for Kubeflow Pipelines: where it keeps data, where its pods go, and how many runs there are.

The bucket, its region and prefixes are read by five programs, each in its own words. All of them are filled here, from
`names`; `checks/pipelines_storage.py` holds what was rendered against each other.
"""

from __future__ import annotations

from generators.model import names
from generators.model.apps import KubeflowPipelinesSettings
from generators.model.catalog import Inputs
from generators.model.identities import identities
from generators.model.pipelines import APP, NAMESPACE, task_taints

Facts = dict[str, object]
SPOT = "imminent node shutdown|pod deleted"
"""What Argo says of a task whose node was taken: Failed with the first, Error with the second."""
TERMINATED = "143"
"""Exit code of a process that was told to end, as a drained node does it."""
ASKED_FOR = "{{inputs.parameters.retry-max-count}}"
"""Filled where a pipeline itself asks for retries; elsewhere Argo leaves it as it stands."""
AROUND = "{{inputs.parameters.cached-decision}}"
"""Filled in the template that KFP puts around a task's pod: it has the number too, and would count all over again."""
RETRY = (
    f"lastRetry.message matches '{SPOT}' || lastRetry.exitCode == '{TERMINATED}'"
    f" || ('{ASKED_FOR}' matches '^[0-9]+$' && !('{AROUND}' matches '^(true|false)$'))"
)
RETRIES = "5"
SUCCEEDED_SECONDS, FINISHED_SECONDS = 3600, 86400
"""How long a Workflow stays when it is over; the database has run and results, S3 the logs."""
PASSWORD = "inference-fleet/database-password-version"  # noqa: S105 (an annotation's name)


def components(inputs: Inputs) -> list[str]:
    """Optional parts that the cluster file turns on."""
    settings = _settings(inputs)
    wanted = (("scheduled-runs", settings.scheduled_runs), ("viewer", settings.viewer))
    return [f"../../../../../apps/{APP}/components/{name}" for name, on in wanted if on]


def patches(inputs: Inputs) -> Facts:
    """File name → patch over the base."""
    version = _password_version(inputs)
    found: Facts = {
        "configmap-kfp-launcher.yaml": _config_map("kfp-launcher", _launcher(inputs)),
        "configmap-rds-ca.yaml": _config_map("rds-ca", {"rds-ca.pem": inputs.catalog.rds_ca[inputs.cluster.region]}),
        "configmap-workflow-controller.yaml": _config_map("workflow-controller-configmap", _controller(inputs)),
        "deployment-api-server.yaml": _deployment(
            "ml-pipeline", "ml-pipeline-api-server", _api_server(inputs), version
        ),
        "deployment-metadata-store.yaml": _deployment("metadata-grpc-deployment", "metadata-store", {}, version),
        "deployment-ui.yaml": _deployment("ml-pipeline-ui", "ml-pipeline-ui", _ui(inputs), version),
        "job-database-users.yaml": _job(version),
        "networkpolicy-database.yaml": _policy("database", "egress", "to", 3306, inputs),
        "networkpolicy-ui.yaml": _policy("ml-pipeline-ui", "ingress", "from", 3000, inputs),
    }
    for each in identities(inputs):
        if each.app == APP:
            metadata = {"name": each.service_account, "namespace": NAMESPACE, "annotations": each.annotations}
            account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
            found[f"serviceaccount-{each.service_account}.yaml"] = account
    return found


def placement() -> Facts:
    """File name → patch over every Deployment and Job of the app: they stay on the system nodes."""
    pod = {
        "nodeSelector": {names.ROLE_LABEL: "system"},
        "tolerations": [{"key": names.SYSTEM_TAINT["key"], "operator": "Exists"}],
    }
    return {
        f"placement-{kind.lower()}.yaml": {
            "apiVersion": api,
            "kind": kind,
            "metadata": {"name": "all"},
            "spec": {"template": {"spec": pod}},
        }
        for api, kind in (("apps/v1", "Deployment"), ("batch/v1", "Job"))
    }


def _settings(inputs: Inputs) -> KubeflowPipelinesSettings:
    return inputs.cluster.apps.kubeflow_pipelines or KubeflowPipelinesSettings()


def _password_version(inputs: Inputs) -> str:
    database = inputs.cluster.storage.database
    return str(database.password_version if database else 1)


def _launcher(inputs: Inputs) -> Facts:
    default = {
        "endpoint": names.s3_endpoint(inputs.cluster),
        "region": inputs.cluster.region,
        "disableSSL": False,
        "credentials": {"fromEnv": True},
    }
    return {
        "defaultPipelineRoot": names.pipeline_root(inputs.cluster),
        "providers": _yaml({"s3": {"default": default}}),
    }


def _controller(inputs: Inputs) -> Facts:
    settings = _settings(inputs)
    rate = settings.pods_per_second
    return {
        "artifactRepository": _yaml(_artifact_repository(inputs)),
        "parallelism": str(settings.parallel_runs),
        "resourceRateLimit": _yaml({"limit": rate, "burst": 2 * rate}),
        "workflowDefaults": _yaml({"spec": _workflow(inputs)}),
    }


def log_key_format(inputs: Inputs) -> str:
    """Where Argo archives what a task said; the UI finds it by the same words."""
    return f"{names.pipeline_logs(inputs.cluster)}/{{{{workflow.name}}}}/{{{{pod.name}}}}"


def _artifact_repository(inputs: Inputs) -> Facts:
    return {
        "archiveLogs": True,
        "s3": {
            "endpoint": names.s3_endpoint(inputs.cluster),
            "bucket": names.bucket(inputs.cluster),
            "region": inputs.cluster.region,
            "insecure": False,
            "useSDKCreds": True,
            "keyFormat": log_key_format(inputs),
        },
    }


def _workflow(inputs: Inputs) -> Facts:
    """What every run has that says nothing else: drivers and tasks alike."""
    tolerations = [
        {"key": taint["key"], "operator": "Equal", "value": taint["value"], "effect": taint["effect"]}
        for taint in task_taints(inputs)
    ]
    return {
        # A pipeline that asks for GPUs writes another value for this one label.
        "nodeSelector": {names.ROLE_LABEL: "worker"},
        **({"tolerations": tolerations} if tolerations else {}),
        "dnsConfig": {"options": [{"name": "ndots", "value": "2"}]},
        # Moving a half-done task to save a node costs more than the node does.
        "podMetadata": {"annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}},
        "podGC": {"strategy": "OnPodSuccess", "deleteDelayDuration": "600s"},
        "ttlStrategy": {
            "secondsAfterSuccess": SUCCEEDED_SECONDS,
            "secondsAfterFailure": FINISHED_SECONDS,
            "secondsAfterCompletion": FINISHED_SECONDS,
        },
        "templateDefaults": {
            "retryStrategy": {
                "limit": RETRIES,
                "retryPolicy": "Always",
                "expression": RETRY,
                "backoff": {"duration": "15s", "factor": "2"},
            }
        },
    }


def _api_server(inputs: Inputs) -> dict[str, str]:
    prefix = inputs.cluster.storage.pipelines_prefix
    return {
        "OBJECTSTORECONFIG_BUCKETNAME": names.bucket(inputs.cluster),
        "OBJECTSTORECONFIG_HOST": names.s3_endpoint(inputs.cluster),
        "OBJECTSTORECONFIG_REGION": inputs.cluster.region,
        "OBJECTSTORECONFIG_PIPELINEPATH": f"{prefix}specifications",
        "ARCHIVE_CONFIG_LOG_PATH_PREFIX": names.pipeline_logs(inputs.cluster),
    }


def _ui(inputs: Inputs) -> dict[str, str]:
    host = names.s3_endpoint(inputs.cluster)
    return {
        "AWS_REGION": inputs.cluster.region,
        "AWS_S3_ENDPOINT": host,
        "ARGO_ARCHIVE_BUCKETNAME": names.bucket(inputs.cluster),
        "ARGO_KEYFORMAT": log_key_format(inputs),
        # Left out, it looks for a store within the cluster that is not there.
        "MINIO_HOST": host,
        "MINIO_NAMESPACE": "",
        "MINIO_PORT": "443",
        "MINIO_SSL": "true",
    }


def _config_map(name: str, data: Facts) -> Facts:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "data": data,
    }


def _deployment(name: str, container: str, env: dict[str, str], version: str) -> Facts:
    """Another version of the password starts new pods: their environment holds it."""
    variables = [{"name": key, "value": value} for key, value in env.items()]
    containers = {"containers": [{"name": container, "env": variables}]} if env else {}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "template": {"metadata": {"annotations": {PASSWORD: version}}, **({"spec": containers} if env else {})}
        },
    }


def _job(version: str) -> Facts:
    container = {"name": "mysql", "env": [{"name": "PASSWORD_VERSION", "value": version}]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "database-users", "namespace": NAMESPACE},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


def _policy(name: str, direction: str, peers: str, port: int, inputs: Inputs) -> Facts:
    """From or to the VPC's own block: nodes, load balancers and the database; pods where they have no other."""
    peer = {"ipBlock": {"cidr": str(inputs.cluster.network.vpc_cidr)}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {direction: [{peers: [peer], "ports": [{"protocol": "TCP", "port": port}]}]},
    }


def _yaml(document: Facts) -> str:
    import yaml  # here, because only this app has YAML within YAML

    return str(yaml.safe_dump(document, sort_keys=False, width=4096))
