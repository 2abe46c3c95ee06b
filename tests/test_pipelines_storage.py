"""One storage declaration: a change of it reaches every program in one render, and a place that differs is told."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from generators.checks import pipelines_storage
from generators.errors import FleetError
from generators.output.plan import compare
from generators.pipeline import fleet
from generators.pipeline.render import cluster_texts, render_cluster
from generators.pipeline.validate import validate_cluster
from generators.source.workspace import Workspace
from tests import fleets
from tests.pipelines import APP, CLUSTERS, Object, committed, container, inputs, rendered, the
from tests.tool_needed import needed

Change = Callable[[list[Object]], None]


def demo(**changes: str) -> str:
    text = fleets.text().replace("prod-tokyo", "demo")
    for before, after in (each.split(" => ") for each in changes.values()):
        assert before in text
        text = text.replace(before, after)
    return text


def told(objects: list[Object]) -> list[str]:
    found = pipelines_storage.findings(inputs("prod-tokyo"), objects)
    return [f"{document['kind']}/{document['metadata']['name']}: {finding.message}" for document, finding in found]  # type: ignore[index]


@pytest.mark.parametrize("name", CLUSTERS)
def test_a_committed_cluster_agrees_with_itself(name: str) -> None:
    assert list(pipelines_storage.findings(inputs(name), committed(name))) == []


def variable(objects: list[Object], deployment: str, name: str, value: str) -> None:
    [found] = [each for each in container(the(objects, "Deployment", deployment))["env"] if each["name"] == name]
    found["value"] = value


def nested(name: str, key: str, path: str, value: Any) -> Change:
    """Another value within the YAML of a ConfigMap's key."""

    def change(objects: list[Object]) -> None:
        data = the(objects, "ConfigMap", name)["data"]
        document = place = yaml.safe_load(data[key])
        *parents, last = path.split(".")
        for step in parents:
            place = place[step]
        place[last] = value
        data[key] = yaml.safe_dump(document)

    return change


def config(key: str, value: Any) -> Change:
    """Another value in the API server's config.json."""

    def change(objects: list[Object]) -> None:
        data = the(objects, "ConfigMap", "ml-pipeline-config")["data"]
        document = json.loads(data["config.json"])
        document["ObjectStoreConfig"][key] = value
        data["config.json"] = json.dumps(document)

    return change


def env(deployment: str, name: str, value: str) -> Change:
    return lambda objects: variable(objects, deployment, name, value)


def another_key_format(objects: list[Object], form: str) -> None:
    nested(ARGO, "artifactRepository", "s3.keyFormat", form)(objects)
    variable(objects, UI, "ARGO_KEYFORMAT", form)


ARGO, UI, SERVER = "workflow-controller-configmap", "ml-pipeline-ui", "ml-pipeline"
BUCKET = "prod-tokyo-123456789012-ap-northeast-1"
DIFFERENT: dict[str, tuple[Change, str]] = {
    "the API server's bucket": (
        env(SERVER, "OBJECTSTORECONFIG_BUCKETNAME", "other"),
        f"the API server would use the bucket `other`, and the cluster's is `{BUCKET}`",
    ),
    "launchers' bucket": (
        lambda objects: the(objects, "ConfigMap", "kfp-launcher")["data"].update(
            defaultPipelineRoot="s3://other/pipelines/artifacts"
        ),
        f"launchers would use the bucket `other`, and the cluster's is `{BUCKET}`",
    ),
    "Argo's bucket": (
        nested(ARGO, "artifactRepository", "s3.bucket", "other"),
        f"Argo would use the bucket `other`, and the cluster's is `{BUCKET}`",
    ),
    "the UI's bucket": (
        env(UI, "ARGO_ARCHIVE_BUCKETNAME", "other"),
        f"the UI would use the bucket `other`, and the cluster's is `{BUCKET}`",
    ),
    "the API server's region": (
        env(SERVER, "OBJECTSTORECONFIG_REGION", "us-east-1"),
        "the API server would use the region `us-east-1`, and the cluster's is `ap-northeast-1`",
    ),
    "launchers' region": (
        nested("kfp-launcher", "providers", "s3.default.region", "us-east-1"),
        "launchers would use the region `us-east-1`, and the cluster's is `ap-northeast-1`",
    ),
    "Argo's region": (
        nested(ARGO, "artifactRepository", "s3.region", "us-east-1"),
        "Argo would use the region `us-east-1`, and the cluster's is `ap-northeast-1`",
    ),
    "the UI's region": (
        env(UI, "AWS_REGION", "us-east-1"),
        "the UI would use the region `us-east-1`, and the cluster's is `ap-northeast-1`",
    ),
    "launchers' endpoint": (
        nested("kfp-launcher", "providers", "s3.default.endpoint", "s3.us-east-1.amazonaws.com"),
        "launchers would use the endpoint `s3.us-east-1.amazonaws.com`",
    ),
    "an endpoint with a dot at its end": (
        nested(ARGO, "artifactRepository", "s3.endpoint", "s3.ap-northeast-1.amazonaws.com."),
        "String should match pattern",
    ),
    "where the UI looks for logs": (
        env(UI, "ARGO_KEYFORMAT", "pipelines/logs/{{pod.name}}"),
        "the UI looks for logs at `pipelines/logs/{{pod.name}}`, and Argo writes them to "
        "`pipelines/logs/{{workflow.name}}/{{pod.name}}`",
    ),
    "artifacts outside of the prefix": (
        lambda objects: the(objects, "ConfigMap", "kfp-launcher")["data"].update(
            defaultPipelineRoot=f"s3://{BUCKET}/v2/artifacts"
        ),
        "launchers would use `v2/artifacts`, outside of storage.pipelines_prefix `pipelines/`",
    ),
    "another key format, but everywhere": (
        lambda objects: another_key_format(objects, "logs/{{pod.name}}"),
        "Argo would use `logs/{{pod.name}}`, outside of storage.pipelines_prefix `pipelines/`",
    ),
    "no pipeline root": (
        lambda objects: the(objects, "ConfigMap", "kfp-launcher")["data"].pop("defaultPipelineRoot"),
        "Field required",
    ),
    "a root in MinIO": (
        lambda objects: the(objects, "ConfigMap", "kfp-launcher")["data"].update(
            defaultPipelineRoot="minio://mlpipeline/v2/artifacts"
        ),
        "speaks of `minio`, a store that is not there",
    ),
    "SeaweedFS behind the UI": (
        env(UI, "MINIO_HOST", "seaweedfs"),
        "speaks of `seaweedfs`, a store that is not there",
    ),
    "a key for the UI": (env(UI, "MINIO_SECRET_KEY", "something"), "gives the program a static key"),
    "a key in config.json": (config("AccessKey", "something"), "String should have at most 0 characters"),
    "one that looks like AWS's": (
        env(SERVER, "OBJECTSTORECONFIG_REGION", "AKIA" + "IOSFODNN7EXAMPLE"),
        "holds or names a static key",
    ),
    "a Secret for Argo": (
        nested(ARGO, "artifactRepository", "s3.accessKeySecret", {"name": "s3", "key": "accesskey"}),
        "holds or names a static key (`accessKeySecret`)",
    ),
    "credentials that launchers must look for": (
        nested("kfp-launcher", "providers", "s3.default.credentials", {"fromEnv": False}),
        "Input should be True",
    ),
    "a key that Argo does not know": (nested(ARGO, "executor", "resource", {}), "Extra inputs are not permitted"),
    "a setting that Argo does not know": (
        lambda objects: the(objects, "ConfigMap", ARGO)["data"].update(paralelism="50"),
        "Extra inputs are not permitted",
    ),
    "a key that the API server does not know": (config("Bucket", BUCKET), "Extra inputs are not permitted"),
    "Argo's containers as root": (
        nested(ARGO, "executor", "securityContext.runAsUser", 0),
        "Input should be greater than or equal to 1",
    ),
    "a volume": (
        lambda objects: objects.append({"kind": "PersistentVolumeClaim", "metadata": {"name": "data"}}),
        "is a volume, which stays in its zone",
    ),
    "no configuration of Argo": (
        lambda objects: objects.remove(the(objects, "ConfigMap", ARGO)),
        "renders no longer the objects that hold its storage settings",
    ),
}


@pytest.mark.parametrize("case", DIFFERENT)
def test_a_place_that_differs_is_told(case: str) -> None:
    change, words = DIFFERENT[case]
    objects = copy.deepcopy(committed("prod-tokyo"))
    change(objects)
    assert any(words in each for each in told(objects)), told(objects)


def test_an_empty_variable_wins_over_the_file_as_the_api_server_reads_them() -> None:
    objects = copy.deepcopy(committed("prod-tokyo"))
    config("AccessKey", "something")(objects)
    empty = {"name": "OBJECTSTORECONFIG_ACCESSKEY", "value": ""}
    container(the(objects, "Deployment", SERVER))["env"].append(empty)
    assert told(objects) == []


def test_a_role_that_cannot_reach_the_prefix_is_told(workspace: Workspace) -> None:
    needed("kustomize")
    app = workspace.root / "apps" / APP / "app.yaml"
    app.write_text(app.read_text().replace("[s3:PutObject]", "[s3:PutObjectTagging]"))
    fleets.add(workspace, "demo", demo())
    found = fleet.read(workspace)
    assert render_cluster(found, "demo", "write").problems == []
    [problem] = validate_cluster(found, "demo").problems
    assert "ServiceAccount pipeline-runner may not s3:PutObject below storage.pipelines_prefix" in str(problem)
    assert "add it to `identities` in apps/kubeflow-pipelines/app.yaml" in str(problem)


REQUESTS = {
    "bucket": (
        "  pipelines_prefix: pipelines/ =>   pipelines_prefix: pipelines/\n  bucket: acme-movies",
        BUCKET.replace("prod-tokyo", "demo"),
        "acme-movies",
    ),
    "region": ("environment: production => environment: production\nregion: eu-west-1", "ap-northeast-1", "eu-west-1"),
    "prefix": ("pipelines_prefix: pipelines/ => pipelines_prefix: team/kfp/", "pipelines/", "team/kfp/"),
    "database": ("    multi_az: true =>     multi_az: true\n    password_version: 2", "", ""),
}
EVERY_PLACE = {
    "configmap-kfp-launcher.yaml",
    "configmap-workflow-controller.yaml",
    "deployment-api-server.yaml",
    "deployment-ui.yaml",
}
CHANGED = {
    "bucket": EVERY_PLACE,
    "region": EVERY_PLACE | {"configmap-rds-ca.yaml"},
    "prefix": EVERY_PLACE,
    "database": {
        *("deployment-api-server.yaml", "deployment-metadata-store.yaml", "deployment-ui.yaml"),
        "job-database-users.yaml",
    },
}


@pytest.mark.parametrize("what", REQUESTS)
def test_a_change_in_the_cluster_file_reaches_every_place_in_one_render(what: str, workspace: Workspace) -> None:
    request, before, after = REQUESTS[what]
    _, _, folder = rendered(workspace, demo())
    (folder / "cluster.yaml").write_text(demo(change=request))
    texts = cluster_texts(fleet.read(workspace), "demo")
    plan = compare(folder / "generated", texts)
    mine = {path.rpartition("/")[2] for path in plan.changed if path.startswith(f"overlays/{APP}/")}
    assert mine == CHANGED[what]
    assert "terraform/cluster.tfvars.json" in plan.changed
    assert not [path for path in (*plan.added, *plan.stale) if APP in path]
    if before:
        left = {path for path in CHANGED[what] if re.search(rf"\b{re.escape(before)}", texts[f"overlays/{APP}/{path}"])}
        assert left == set()
        assert all(after in texts[f"overlays/{APP}/{path}"] for path in EVERY_PLACE)
        identities = json.loads(texts["terraform/cluster.tfvars.json"])["identities"]
        runner = json.dumps(identities["demo-kubeflow-pipeline-runner"])
        assert what == "region" or (after in runner and before not in runner.replace("results/pipelines/", ""))


def test_kubeflow_pipelines_is_refused_without_what_it_needs(workspace: Workspace) -> None:
    text = re.sub(r"  database:\n(    .*\n)+", "", demo())
    text = re.sub(r"  (external-secrets|secret-stores|git-credential): {}\n", "", text)
    text = text.replace("kubeflow-pipelines: {}", "kubeflow-pipelines:\n    inputs: [results/]")
    fleets.add(workspace, "demo", text)
    with pytest.raises(FleetError) as caught:
        fleet.read(workspace).load("demo")
    message = str(caught.value)
    assert "keeps runs and metadata in a database, and storage.database is not there" in message
    assert "its secrets come through a store, and apps.secret-stores is not on" in message
    assert "`results/` and `results/pipelines/`, which tasks write to, overlap" in message
