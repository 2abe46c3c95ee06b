"""A real API server holds the pods of runs away from what the programs of Kubeflow Pipelines may do and know.

Whoever starts a run says which account and which Secrets it has, and Argo makes the pod.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
import yaml

from generators.errors import FleetError
from tests.control_plane import ControlPlane
from tests.pipelines import CLUSTERS, NAMESPACE, Object, committed, of_kind
from tests.test_pipelines_admission import installed, task

LIMIT = 60.0
"""Seconds until a policy counts; one is usual."""


def variable(source: Object) -> Object:
    """A container's environment from a Secret, one variable."""
    return {"env": [{"name": "PASSWORD", "valueFrom": source}]}


def with_volume(pod: Object, volume: Object) -> Object:
    return pod | {"spec": pod["spec"] | {"volumes": [{"name": "stolen", **volume}]}}


def with_fields(pod: Object, kind: str, **fields: Any) -> Object:
    """With these in its last container of this kind."""
    *rest, last = pod["spec"][kind]
    return pod | {"spec": pod["spec"] | {kind: [*rest, last | fields]}}


def refusal(server: ControlPlane, pod: Object, made_by: str = f"{NAMESPACE}:argo") -> str:
    """What the API server says where Argo makes this pod; nothing where it does. It stays a question."""
    argo = f"--as=system:serviceaccount:{made_by}"
    try:
        server.kubectl("create", "--dry-run=server", argo, "-f", "-", stdin=yaml.safe_dump(pod))
    except FleetError as error:
        return str(error)
    return ""


def other_account(pod: Object, name: str) -> Object:
    return pod | {"spec": pod["spec"] | {"serviceAccountName": name}}


def test_a_run_has_neither_the_rights_nor_the_secrets_of_the_programs(api_server: ControlPlane) -> None:
    objects = installed(api_server, "prod-tokyo")
    good = task(objects)
    until = time.monotonic() + LIMIT
    while not refusal(api_server, other_account(good, "argo")) and time.monotonic() < until:
        time.sleep(0.1)
    own = {"secretKeyRef": {"name": "of-a-team", "key": "token"}}
    allowed = with_fields(with_volume(good, {"secret": {"secretName": "of-a-team"}}), "containers", **variable(own))
    for pod in (good, allowed):
        assert refusal(api_server, pod) == ""
    assert "and of no other" in refusal(api_server, other_account(good, "ml-pipeline"))
    for secret in (each["metadata"]["name"] for each in of_kind(objects, "ExternalSecret")):
        key = variable({"secretKeyRef": {"name": secret, "key": "password"}})
        for kind in ("containers", "initContainers"):
            for fields in (key, {"envFrom": [{"secretRef": {"name": secret}}]}):
                assert "does not read the Secrets" in refusal(api_server, with_fields(good, kind, **fields))
        projected = {"projected": {"sources": [{"secret": {"name": secret}}]}}
        for volume in ({"secret": {"secretName": secret}}, projected):
            assert "does not mount the Secrets" in refusal(api_server, with_volume(good, volume))


def test_a_tensorboard_has_neither_as_well(api_server: ControlPlane) -> None:
    """The pages take a whole pod template from a request (frontend/server/handlers/tensorboard.ts); a ReplicaSet's
    controller makes the pod."""
    objects = installed(api_server, "dev-tokyo")
    good = other_account(task(objects), "ml-pipeline-ui")
    good = good | {"metadata": good["metadata"] | {"labels": {"app": "viewer"}}}
    made_by = "kube-system:replicaset-controller"
    api_server.kubectl(
        "create", "clusterrolebinding", "x", "--clusterrole=cluster-admin", f"--serviceaccount={made_by}"
    )
    until = time.monotonic() + LIMIT
    while not refusal(api_server, other_account(good, "argo"), made_by) and time.monotonic() < until:
        time.sleep(0.1)
    assert refusal(api_server, good, made_by) == ""
    assert "and of no other" in refusal(api_server, other_account(good, "argo"), made_by)
    stolen = with_volume(good, {"secret": {"secretName": "database-admin"}})
    assert "does not mount the Secrets" in refusal(api_server, stolen, made_by)
    programs = stolen | {"metadata": {"name": "program", "namespace": NAMESPACE}}
    assert refusal(api_server, programs, made_by) == ""


@pytest.mark.parametrize("name", CLUSTERS)
def test_the_policy_is_about_argo_s_pods_in_this_namespace(name: str) -> None:
    [policy] = of_kind(committed(name), "ValidatingAdmissionPolicy")
    [binding] = of_kind(committed(name), "ValidatingAdmissionPolicyBinding")
    assert binding["spec"]["policyName"] == policy["metadata"]["name"]
    assert binding["spec"]["validationActions"] == ["Deny"]
    assert binding["spec"]["matchResources"]["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": NAMESPACE
    }
    [condition] = policy["spec"]["matchConditions"]
    [controller] = [
        each["spec"]["template"]["spec"]["serviceAccountName"]
        for each in of_kind(committed(name), "Deployment")
        if each["metadata"]["name"] == "workflow-controller"
    ]
    assert f'"system:serviceaccount:{NAMESPACE}:{controller}"' in condition["expression"]
