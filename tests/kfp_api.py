"""A stand-in for the API server of Kubeflow Pipelines, which cannot run here: it needs a database and a cluster.

Paths, fields and answers are those of kubeflow/pipelines 2.17.0 (backend/api/v2beta1/*.proto; marshaling in
backend/src/apiserver/common/utils.go; the upload in server/pipeline_upload_server.go). As the server, it refuses a
field that it does not know, leaves out what is empty, and gives lists in pages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

PAGE = 2
"""Of a list, whatever is asked for: the server may give less than that."""
FIELDS = {
    "Experiment": {"display_name", "description", "namespace"},
    "Pipeline": {"display_name", "name", "description", "namespace", "tags"},
    "Run": {
        "experiment_id",
        "display_name",
        "description",
        "pipeline_spec",
        "pipeline_version_reference",
        "runtime_config",
        "service_account",
    },
    "PipelineVersionReference": {"pipeline_id", "pipeline_version_id"},
    "RuntimeConfig": {"parameters", "pipeline_root"},
    "Filter": {"predicates"},
    "Predicate": {"operation", "key", "string_value", "stringValue"},
}
"""What a client may send, as far as is known here."""


class NoError(Exception):
    """An answer that is not 200."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        self.status, self.body = status, body
        super().__init__(str(body))


def refusal(status: int, code: int, message: str) -> NoError:
    """As gRPC's gateway tells it."""
    return NoError(status, {"code": code, "message": message, "details": []})


@dataclass
class Installation:
    """What the server holds. `script` is what a run goes through, one step a question."""

    experiments: list[dict[str, Any]] = field(default_factory=list)
    pipelines: list[dict[str, Any]] = field(default_factory=list)
    versions: list[dict[str, Any]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    script: list[dict[str, Any]] = field(default_factory=lambda: [{"state": "SUCCEEDED"}])
    cookies: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    hooks: dict[str, Callable[[], None]] = field(default_factory=dict)
    """By `METHOD path`: called first, once."""

    def answer(self, method: str, target: str, kind: str, body: bytes) -> dict[str, Any]:
        parts = urlsplit(target)
        path, query = parts.path.removeprefix("/apis/v2beta1"), {k: v[0] for k, v in parse_qs(parts.query).items()}
        self.calls.append(f"{method} {path}")
        self.hooks.pop(f"{method} {path}", lambda: None)()
        for pattern, act in self._routes():
            if found := re.fullmatch(pattern, f"{method} {path}"):
                words = [unquote(word) for word in found.groups()]
                return act(*words, query=query, kind=kind, body=body)
        raise refusal(404, 5, "Not Found")

    def _routes(self) -> list[tuple[str, Callable[..., dict[str, Any]]]]:
        return [
            (r"GET /healthz", lambda **_: {}),
            (r"GET /experiments", self._list_experiments),
            (r"POST /experiments", self._make_experiment),
            (r"GET /pipelines/names/([^/]+)", self._pipeline_by_name),
            (r"POST /pipelines", self._make_pipeline),
            (r"GET /pipelines/([^/]+)/versions", self._list_versions),
            (r"POST /pipelines/upload_version", self._upload),
            (r"POST /runs", self._make_run),
            (r"GET /runs/([^/]+)", self._run),
        ]

    def _list_experiments(self, query: dict[str, str], **_: Any) -> dict[str, Any]:
        return _page("experiments", _filtered(self.experiments, query), query)

    def _make_experiment(self, body: bytes, **_: Any) -> dict[str, Any]:
        asked = _checked("Experiment", json.loads(body))
        if any(each["display_name"] == asked["display_name"] for each in self.experiments):
            raise refusal(409, 6, f"The name {asked['display_name']} already exists")
        made = {**asked, "experiment_id": f"experiment-{len(self.experiments)}", "storage_state": "AVAILABLE"}
        self.experiments.append(made)
        return made

    def _pipeline_by_name(self, name: str, **_: Any) -> dict[str, Any]:
        for each in self.pipelines:
            if each["name"] == name:
                return each
        raise refusal(404, 5, f"Failed to get pipeline by name: {name} not found")

    def _make_pipeline(self, body: bytes, **_: Any) -> dict[str, Any]:
        asked = _checked("Pipeline", json.loads(body))
        if any(each["name"] == asked["name"] for each in self.pipelines):
            raise refusal(409, 6, f"The name {asked['name']} already exist")
        made = {**asked, "pipeline_id": f"pipeline-{len(self.pipelines)}"}
        self.pipelines.append(made)
        return made

    def _list_versions(self, pipeline: str, query: dict[str, str], **_: Any) -> dict[str, Any]:
        own = [each for each in self.versions if each["pipeline_id"] == pipeline]
        return _page("pipeline_versions", _filtered(own, query), query)

    def _upload(self, query: dict[str, str], kind: str, body: bytes, **_: Any) -> dict[str, Any]:
        pipeline, name = query.get("pipelineid", ""), query.get("name", "")
        spec = _form(kind, body)
        own = [each for each in self.versions if each["pipeline_id"] == pipeline]
        if not any(each["pipeline_id"] == pipeline for each in self.pipelines):
            raise NoError(400, {"error_message": "Failed to create a pipeline version", "error_details": ""})
        if any(each["name"] == name for each in own):
            raise NoError(409, {"error_message": "Failed to create a pipeline version", "error_details": ""})
        documents = list(yaml.safe_load_all(spec))
        number = len(self.versions)
        made = {"pipeline_id": pipeline, "pipeline_version_id": f"version-{number}", "name": name}
        self.versions.append({**made, "display_name": query.get("display_name", name), "pipeline_spec": documents})
        return made

    def _make_run(self, body: bytes, **_: Any) -> dict[str, Any]:
        asked = _checked("Run", json.loads(body))
        reference = _checked("PipelineVersionReference", asked["pipeline_version_reference"])
        given = _checked("RuntimeConfig", asked["runtime_config"])["parameters"]
        version = _only(self.versions, "pipeline_version_id", reference["pipeline_version_id"])
        _only(self.experiments, "experiment_id", asked["experiment_id"])
        known = version["pipeline_spec"][0]["root"].get("inputDefinitions", {}).get("parameters", {})
        if unknown := given.keys() - known.keys():
            raise refusal(400, 3, f"unknown parameters: {sorted(unknown)}")
        made = {**asked, "run_id": f"run-{len(self.runs)}", "state": "PENDING"}
        self.runs.append(made)
        return made

    def _run(self, run_id: str, **_: Any) -> dict[str, Any]:
        found = _only(self.runs, "run_id", run_id)
        found |= self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return found


def _checked(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    for key in body.keys() - FIELDS[kind]:
        raise refusal(400, 3, f'unknown field "{key}" in {kind}')
    return body


def _only(items: list[dict[str, Any]], key: str, value: str) -> dict[str, Any]:
    for each in items:
        if each[key] == value:
            return each
    raise refusal(404, 5, f"{key} {value} not found")


def _filtered(items: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
    for predicate in _checked("Filter", json.loads(query.get("filter", "{}"))).get("predicates", []):
        _checked("Predicate", predicate)
        assert predicate["operation"] in {"EQUALS", 1}  # protobuf's JSON takes either, and either form of a name
        value = predicate.get("string_value", predicate.get("stringValue"))
        items = [each for each in items if each[predicate["key"]] == value]
    return items


def _page(kind: str, items: list[dict[str, Any]], query: dict[str, str]) -> dict[str, Any]:
    start = int(query.get("page_token", "0"))
    more = {"next_page_token": str(start + PAGE)} if start + PAGE < len(items) else {}
    found = {kind: items[start : start + PAGE]} if items[start:] else {}
    return {**found, **more}


def _form(kind: str, body: bytes) -> bytes:
    """The file of a form, as Go's FormFile finds it."""
    message = BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    for part in message.walk():
        if part.get_param("name", header="content-disposition") == "uploadfile":
            return str(part.get_payload(decode=False)).encode()
    raise NoError(400, {"error_message": "Failed to read pipeline from file", "error_details": ""})


@contextmanager
def serving(installation: Installation) -> Iterator[str]:
    """URL of a server with this installation."""

    class Handler(BaseHTTPRequestHandler):
        held: ClassVar = installation

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.held.cookies.append(self.headers.get("Cookie", ""))
            try:
                status, answer = 200, self.held.answer(self.command, self.path, self.headers["Content-Type"], body)
            except NoError as error:
                status, answer = error.status, error.body
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", answer["location"])
            self.end_headers()
            self.wfile.write(answer["page"].encode() if "page" in answer else json.dumps(answer).encode())

        do_GET = do_POST = _serve  # noqa: N815 (http.server looks for these names)

        def log_message(self, *_: object) -> None:
            """No talk."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
