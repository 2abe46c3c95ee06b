"""A real API server takes all of Kubeflow Pipelines, its pods under Pod Security's `restricted`, and grants
each ServiceAccount what it needs and no more."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
import yaml

from generators.errors import FleetError
from tests.control_plane import ControlPlane
from tests.pipelines import CLUSTERS, NAMESPACE, Object, committed, environment, inputs, of_kind, pod, the, workloads

EXTERNAL_SECRETS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "externalsecrets.external-secrets.io"},
    "spec": {
        "group": "external-secrets.io",
        "names": {"kind": "ExternalSecret", "plural": "externalsecrets"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}
"""In place of the operator's, which its chart brings: what is in one, `fleet validate` checks."""


def text(objects: Iterable[Object]) -> str:
    return yaml.safe_dump_all(list(objects))


def installed(server: ControlPlane, name: str) -> list[Object]:
    """Everything of a cluster, applied as Argo CD does it: CRDs first, then the rest, each into its namespace."""
    objects = committed(name)
    level = inputs(name).catalog.apps["kubeflow-pipelines"].pod_security
    labels = {f"pod-security.kubernetes.io/{mode}": level for mode in ("enforce", "warn")}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}
    crds = [EXTERNAL_SECRETS, *of_kind(objects, "CustomResourceDefinition")]
    server.kubectl("apply", "--server-side", "-f", "-", stdin=text([namespace, *crds]))
    server.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
    rest = [each for each in objects if each["kind"] != "CustomResourceDefinition"]
    server.kubectl("apply", "--server-side", "-f", "-", stdin=text(rest))
    return objects


def as_pod(each: Object) -> Object:
    """A pod as its Deployment or Job makes one: a controller's work, and none runs here."""
    metadata = {"name": f"{each['kind'].lower()}-{each['metadata']['name']}", "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod(each)}


HARDENED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""What KFP's compiler gives every container of a run (argocompiler/security_context.go, 2.17.0)."""


def task(objects: list[Object], **main: Any) -> Object:
    """A pod of a run: KFP's launcher and a person's container, with Argo's beside them, under our configuration.

    Put together here as KFP 2.17.0 and Argo Workflows 4.0.10 do it; neither can be had to do it itself.
    """
    config = the(objects, "ConfigMap", "workflow-controller-configmap")["data"]
    executor = yaml.safe_load(config["executor"])
    defaults = yaml.safe_load(config["workflowDefaults"])["spec"]
    server = environment(the(objects, "Deployment", "ml-pipeline"))
    person = {
        **HARDENED,
        "runAsNonRoot": server["DEFAULT_SECURITY_CONTEXT_RUN_AS_NON_ROOT"] == "true",
        "runAsUser": int(server["DEFAULT_SECURITY_CONTEXT_RUN_AS_USER"]),
        **main,
    }
    argo = {key: executor[key] for key in ("resources", "securityContext", "env")}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "task", "namespace": NAMESPACE},
        "spec": {
            "serviceAccountName": "pipeline-runner",
            "nodeSelector": defaults["nodeSelector"],
            "dnsConfig": defaults["dnsConfig"],
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
            "initContainers": [
                {"name": "init", "image": "argoexec", **argo},
                {"name": "kfp-launcher", "image": "launcher", "securityContext": {**HARDENED, "runAsNonRoot": True}},
            ],
            "containers": [
                {"name": "wait", "image": "argoexec", **argo},
                {
                    "name": "main",
                    "image": "python",
                    "securityContext": person,
                    **yaml.safe_load(config["mainContainer"]),
                },
            ],
        },
    }


PARTS: dict[str, dict[tuple[str, str, str], bool]] = {
    "prod-tokyo": {
        ("ml-pipeline", "create", "kubeflow.org/scheduledworkflows"): True,
        ("ml-pipeline-scheduledworkflow", "update", "kubeflow.org/scheduledworkflows"): True,
        ("ml-pipeline-scheduledworkflow", "create", "argoproj.io/workflows"): False,
        ("ml-pipeline-ui", "create", "kubeflow.org/viewers"): False,
    },
    "dev-tokyo": {
        ("ml-pipeline", "create", "kubeflow.org/scheduledworkflows"): False,
        ("ml-pipeline-ui", "create", "kubeflow.org/viewers"): True,
        ("ml-pipeline-viewer-crd", "create", "apps/deployments"): True,
        ("ml-pipeline-viewer-crd", "get", "/secrets"): False,
    },
}
RIGHTS: dict[tuple[str, str, str], bool] = {
    ("ml-pipeline", "create", "argoproj.io/workflows"): True,
    ("ml-pipeline", "patch", "argoproj.io/workflows"): True,
    ("ml-pipeline", "get", "/pods/log"): True,
    ("ml-pipeline", "delete", "/pods"): True,
    ("ml-pipeline", "create", "/pods"): False,
    ("ml-pipeline", "get", "/secrets"): False,
    ("ml-pipeline", "create", "authorization.k8s.io/subjectaccessreviews"): False,
    ("ml-pipeline-persistenceagent", "watch", "argoproj.io/workflows"): True,
    ("ml-pipeline-persistenceagent", "list", "kubeflow.org/scheduledworkflows"): True,
    ("ml-pipeline-persistenceagent", "delete", "argoproj.io/workflows"): False,
    ("ml-pipeline-ui", "get", "/pods/log"): True,
    ("ml-pipeline-ui", "get", "argoproj.io/workflows"): True,
    ("ml-pipeline-ui", "list", "/events"): True,
    ("ml-pipeline-ui", "delete", "/pods"): False,
    ("ml-pipeline-ui", "get", "/secrets"): False,
    ("ml-pipeline-ui", "get", "/configmaps"): False,
    ("pipeline-runner", "get", "/configmaps/kfp-launcher"): True,
    ("pipeline-runner", "get", "/configmaps/rds-ca"): False,
    ("pipeline-runner", "get", "argoproj.io/workflows"): True,
    ("pipeline-runner", "get", "/pods"): True,
    ("pipeline-runner", "create", "argoproj.io/workflowtaskresults"): True,
    ("pipeline-runner", "patch", "argoproj.io/workflowtaskresults"): True,
    ("pipeline-runner", "create", "/pods"): False,
    ("pipeline-runner", "create", "batch/jobs"): False,
    ("pipeline-runner", "create", "argoproj.io/workflows"): False,
    ("pipeline-runner", "patch", "argoproj.io/workflows"): False,
    ("pipeline-runner", "get", "/secrets"): False,
    ("argo", "create", "/pods"): True,
    ("argo", "create", "/pods/exec"): True,
    ("argo", "watch", "/configmaps"): True,
    ("argo", "update", "argoproj.io/workflows/finalizers"): True,
    ("argo", "deletecollection", "argoproj.io/workflowtaskresults"): True,
    ("argo", "update", "coordination.k8s.io/leases"): True,
    ("argo", "list", "argoproj.io/cronworkflows"): True,
    ("argo", "list", "argoproj.io/workflowtemplates"): True,
    ("argo", "get", "/secrets"): False,
    ("argo", "create", "/persistentvolumeclaims"): False,
    ("argo", "delete", "apps/deployments"): False,
    ("database-users", "get", "/secrets"): False,
    ("metadata-grpc-server", "get", "/secrets"): False,
    ("metadata-envoy", "get", "/pods"): False,
    ("default", "get", "/pods"): False,
}


def reviews(account: str, verb: str, resource: str, namespace: str) -> Object:
    group, _, rest = resource.partition("/")
    kind, _, rest = rest.partition("/")
    name = {"name": rest} if kind == "configmaps" and rest else {}
    sub = {"subresource": rest} if rest and not name else {}
    asked = {"namespace": namespace, "verb": verb, "group": group, "resource": kind, **name, **sub}
    user = f"system:serviceaccount:{NAMESPACE}:{account}"
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": user, "resourceAttributes": asked},
    }


def answers(
    server: ControlPlane, asked: list[tuple[str, str, str]], namespace: str
) -> dict[tuple[str, str, str], bool]:
    documents = [reviews(*each, namespace) for each in asked]
    said = server.kubectl("create", "-f", "-", "-o", "jsonpath={.status.allowed}{'\\n'}", stdin=text(documents))
    return {each: answer == "true" for each, answer in zip(asked, said.split(), strict=True)}


@pytest.mark.parametrize("name", CLUSTERS)
def test_a_real_api_server_admits_it_and_grants_what_is_needed(name: str, api_server: ControlPlane) -> None:
    objects = installed(api_server, name)
    pods = [as_pod(each) for each in workloads(objects)] + [task(objects)]
    api_server.kubectl("apply", "--server-side", "-f", "-", stdin=text(pods))
    expected = RIGHTS | PARTS[name]
    assert answers(api_server, list(expected), NAMESPACE) == expected
    # Nobody has anything elsewhere: all of it is granted by Roles.
    assert not any(answers(api_server, list(expected), "kube-system").values())


def test_a_task_that_would_be_root_is_refused(api_server: ControlPlane) -> None:
    objects = installed(api_server, "prod-tokyo")
    with pytest.raises(FleetError) as caught:
        api_server.kubectl("apply", "--server-side", "-f", "-", stdin=text([task(objects, runAsUser=0)]))
    assert "violates PodSecurity" in str(caught.value)
    assert "runAsUser=0" in str(caught.value)


def test_custom_resources_are_stored_as_their_controllers_write_them(api_server: ControlPlane) -> None:
    """Status and all: there, and not cut."""
    installed(api_server, "dev-tokyo")
    workflow = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "run", "namespace": NAMESPACE},
        "spec": {"entrypoint": "main", "templates": [{"name": "main", "anything": {"deep": [1, "two"]}}]},
        "status": {"phase": "Running", "nodes": {"run": {"message": "pod deleted"}}},
    }
    result = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "WorkflowTaskResult",
        "metadata": {"name": "run-1", "namespace": NAMESPACE},
        "phase": "Succeeded",
        "outputs": {"parameters": [{"name": "x", "value": "1"}], "exitCode": "0"},
    }
    schedule = {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "ScheduledWorkflow",
        "metadata": {"name": "nightly", "namespace": NAMESPACE},
        "spec": {"enabled": True, "trigger": {"cronSchedule": {"cron": "0 0 2 * * *"}}},
    }
    for wanted in (workflow, result, schedule):
        api_server.kubectl("create", "-f", "-", stdin=text([wanted]))
        kind = f"{wanted['kind']}.{wanted['apiVersion'].partition('/')[0]}"  # type: ignore[attr-defined]
        said = api_server.kubectl("get", kind, wanted["metadata"]["name"], "-n", NAMESPACE, "-o", "json")  # type: ignore[index]
        found = json.loads(said)
        assert {key: found.get(key) for key in wanted if key != "metadata"} == {
            key: value for key, value in wanted.items() if key != "metadata"
        }
    table = api_server.kubectl("get", "workflows", "-n", NAMESPACE)
    assert table.split()[:4] == ["NAME", "STATUS", "AGE", "MESSAGE"]
