"""One storage declaration: what Kubeflow Pipelines' programs read of bucket, region and prefixes agrees, and no other
store or key is left.

Five programs read it, each in its own words: the API server, launchers, Argo, the UI, and IAM for three of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from generators.model import names
from generators.model.base import Finding
from generators.model.catalog import Inputs
from generators.model.identities import identities
from generators.model.pipelines import APP

Document = dict[str, object]
Found = tuple[Document, Finding]
OTHER_STORE = re.compile(r"minio|seaweedfs")
STATIC_KEY = re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b|\b(accessKeySecret|secretKeySecret|secretRef)\b")
KEY_NAMES = re.compile(r"(ACCESS_?KEY|SECRET_?KEY|SECRETACCESSKEY)(_ID)?$")
READERS = {
    "pipeline-runner": ("s3:GetObject", "s3:PutObject"),
    "ml-pipeline": ("s3:GetObject",),
    "ml-pipeline-ui": ("s3:GetObject",),
}
"""What each ServiceAccount must be able to do below the prefix; none else calls AWS."""


@dataclass(frozen=True)
class Place:
    """One place that a program reads, by the object that it stands in and the path to it."""

    document: Document
    path: tuple[str | int, ...]
    program: str
    value: str


@dataclass(frozen=True)
class Programs:
    """The objects that hold storage settings."""

    api_server: Document
    config: Document
    launcher: Document
    controller: Document
    ui: Document


def findings(inputs: Inputs, documents: Iterable[Document]) -> Iterator[Found]:
    """What is wrong with the storage of the app's rendered objects, each with the object that it is wrong in."""
    rendered = list(documents)
    for document in rendered:
        yield from ((document, finding) for finding in _leftovers(document))
    programs = _programs(rendered)
    if programs is None:
        what = "renders no longer the objects that hold its storage settings, so that nobody could compare them"
        yield rendered[0] if rendered else {}, Finding((), what, "see generators/checks/pipelines_storage.py")
        return
    wrong = list(_strict(programs))
    yield from wrong or _disagreements(inputs, programs)
    yield from ((programs.api_server, finding) for finding in _permissions(inputs))


def _leftovers(document: Document) -> Iterator[Finding]:
    """Stores within the cluster, volumes and keys: what upstream brings, and what this install is without."""
    if document.get("kind") == "PersistentVolumeClaim":
        what = "is a volume, which stays in its zone, and so would what needs it"
        yield Finding(("kind",), what, "artifacts go to S3, metadata to the database")
    # A policy names what it refuses.
    for path, text in _texts({} if document.get("kind") == "ValidatingAdmissionPolicy" else document, ()):
        if found := OTHER_STORE.search(text):
            hint = "artifacts go to S3; set it from names.s3_endpoint or leave it empty"
            yield Finding(path, f"speaks of `{found[0]}`, a store that is not there", hint)
        if found := STATIC_KEY.search(text):
            hint = "the role of the ServiceAccount signs in: see `identities` in app.yaml"
            yield Finding(path, f"holds or names a static key (`{found[0]}`)", hint)
    yield from _static_variables(document)


def _static_variables(document: Document) -> Iterator[Finding]:
    for index, container in enumerate(_containers(document)):
        for variable in container.get("env") or ():
            if KEY_NAMES.search(variable["name"]) and (variable.get("value") or "valueFrom" in variable):
                path = ("spec", "template", "spec", "containers", index, "env", variable["name"])
                hint = "leave it empty: the role of the ServiceAccount signs in"
                yield Finding(path, "gives the program a static key", hint)


def _texts(value: object, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every text that is a value; names of keys and of variables are none of them."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*path, index))
    elif isinstance(value, str):
        yield path, value


def _containers(document: Document) -> list[dict[str, Any]]:
    spec: Any = document.get("spec")
    for step in ("template", "spec"):
        spec = spec.get(step) if isinstance(spec, dict) else None
    return list(spec.get("containers") or ()) if isinstance(spec, dict) else []


def _programs(documents: list[Document]) -> Programs | None:
    by_name: dict[tuple[str, str], Document] = {}
    for document in documents:
        metadata: Any = document.get("metadata") or {}
        by_name[str(document.get("kind")), str(metadata.get("name"))] = document
    api_server = by_name.get(("Deployment", "ml-pipeline"))
    volumes = _volumes(api_server) if api_server else {}
    found = (
        api_server,
        by_name.get(("ConfigMap", volumes.get("config", ""))),
        by_name.get(("ConfigMap", "kfp-launcher")),
        by_name.get(("ConfigMap", "workflow-controller-configmap")),
        by_name.get(("Deployment", "ml-pipeline-ui")),
    )
    return Programs(*found) if all(found) else None  # type: ignore[arg-type]


def _volumes(deployment: Document) -> dict[str, str]:
    """ConfigMap of each volume, by the volume's name."""
    spec: Any = deployment["spec"]
    volumes = spec["template"]["spec"].get("volumes") or ()
    return {each["name"]: each["configMap"]["name"] for each in volumes if "configMap" in each}


def environment(deployment: Document) -> dict[str, str]:
    """Variables of its first container that have a value in the manifest."""
    return {each["name"]: each["value"] for each in _containers(deployment)[0].get("env") or () if "value" in each}


def _models(programs: Programs) -> Iterator[tuple[Document, Any]]:
    """Each object with a function that reads it strictly."""
    from generators.checks import pipelines_config as config  # here, because it takes time and few clusters need it

    data: Any = programs.config.get("data") or {}
    file = json.loads(data.get("config.json", "{}"))
    yield programs.config, lambda: config.api_server(file, environment(programs.api_server))
    yield programs.launcher, lambda: config.Launcher.model_validate(programs.launcher.get("data") or {})
    yield programs.controller, lambda: config.WorkflowController.model_validate(programs.controller.get("data") or {})


def _strict(programs: Programs) -> Iterator[Found]:
    """Keys that no program knows, and values that it could not read."""
    from pydantic import ValidationError

    for document, read in _models(programs):
        try:
            read()
        except ValidationError as error:
            for each in error.errors():
                path = ("data", *(step for step in each["loc"] if step != "function-before"))
                yield document, Finding(path, each["msg"], "keys and values: generators/checks/pipelines_config.py")


def _places(programs: Programs) -> dict[str, list[Place]]:
    """What is told in several places, by what it is."""
    server, launcher, controller = (read() for _, read in _models(programs))
    ui, argo = environment(programs.ui), controller.artifact_repository.s3
    store, default = server.store, launcher.providers["s3"]["default"]
    bucket, _, root = launcher.default_pipeline_root.removeprefix("s3://").partition("/")
    env = ("spec", "template", "spec", "containers", 0, "env")

    def api(variable: str, value: str) -> Place:
        return Place(programs.api_server, (*env, variable), "the API server", value)

    def page(variable: str) -> Place:
        return Place(programs.ui, (*env, variable), "the UI", ui.get(variable, ""))

    def tasks(key: str, value: str) -> Place:
        return Place(programs.launcher, ("data", *key.split("/")), "launchers", value)

    def argos(key: str, value: str) -> Place:
        return Place(programs.controller, ("data", "artifactRepository", "s3", key), "Argo", value)

    return {
        "bucket": [
            api("OBJECTSTORECONFIG_BUCKETNAME", store.bucket),
            tasks("defaultPipelineRoot", bucket),
            argos("bucket", argo.bucket),
            page("ARGO_ARCHIVE_BUCKETNAME"),
        ],
        "region": [
            api("OBJECTSTORECONFIG_REGION", store.region),
            tasks("providers/s3/default/region", default.region),
            argos("region", argo.region),
            page("AWS_REGION"),
        ],
        "endpoint": [
            api("OBJECTSTORECONFIG_HOST", store.host),
            tasks("providers/s3/default/endpoint", default.endpoint),
            argos("endpoint", argo.endpoint),
            page("AWS_S3_ENDPOINT"),
        ],
        "root": [tasks("defaultPipelineRoot", root)],
        "logs": [argos("keyFormat", argo.key_format), page("ARGO_KEYFORMAT")],
        "prefix": [
            api("OBJECTSTORECONFIG_PIPELINEPATH", store.pipeline_path),
            api("ARCHIVE_CONFIG_LOG_PATH_PREFIX", server.log_prefix),
        ],
    }


def _disagreements(inputs: Inputs, programs: Programs) -> Iterator[Found]:
    cluster, places = inputs.cluster, _places(programs)
    expected = {
        "bucket": names.bucket(cluster),
        "region": cluster.region,
        "endpoint": names.s3_endpoint(cluster),
    }
    for what, wanted in expected.items():
        for place in places[what]:
            if place.value != wanted:
                message = f"{place.program} would use the {what} `{place.value}`, and the cluster's is `{wanted}`"
                yield place.document, Finding(place.path, message, _hint())
    argo, ui = places["logs"]
    if argo.value != ui.value:
        message = f"the UI looks for logs at `{ui.value}`, and Argo writes them to `{argo.value}`"
        yield ui.document, Finding(ui.path, message, "set both from log_key_format in the renderer")
    prefix = cluster.storage.pipelines_prefix
    for place in (*places["root"], *places["logs"], *places["prefix"]):
        if not place.value.startswith(prefix):
            message = f"{place.program} would use `{place.value}`, outside of storage.pipelines_prefix `{prefix}`"
            yield place.document, Finding(place.path, message, "no role allows it there: " + _hint())


def _hint() -> str:
    return "all places are filled from the cluster file by generators/renderers/kubeflow_pipelines.py"


def _permissions(inputs: Inputs) -> Iterator[Finding]:
    """The roles reach what the programs use, by prefix."""
    cluster = inputs.cluster
    wanted = f"arn:aws:s3:::{names.bucket(cluster)}/{cluster.storage.pipelines_prefix}x"
    declared = {each.service_account: each.statements for each in identities(inputs) if each.app == APP}
    for account, actions in READERS.items():
        for action in actions:
            if not any(_allows(statement, action, wanted) for statement in declared.get(account, [])):
                what = f"ServiceAccount {account} may not {action} below storage.pipelines_prefix"
                hint = f"add it to `identities` in apps/{APP}/app.yaml"
                yield Finding(("spec", "template", "spec", "serviceAccountName"), what, hint)
    for account in sorted(declared.keys() - READERS.keys()):
        what = f"ServiceAccount {account} has a role in AWS, and no program of it calls AWS"
        yield Finding(("spec",), what, f"take it out of `identities` in apps/{APP}/app.yaml")


def _allows(statement: Mapping[str, object], action: str, arn: str) -> bool:
    actions: Any = statement["Action"]
    resources: Any = statement["Resource"]
    return action in actions and any(re.fullmatch(re.escape(each).replace(r"\*", ".*"), arn) for each in resources)
