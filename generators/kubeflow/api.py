"""The API of Kubeflow Pipelines, v2beta1, as far as running a pipeline needs it.

Facts from kubeflow/pipelines 2.17.0: backend/api/v2beta1/*.proto, and backend/src/apiserver/server/ for the upload,
which is plain HTTP. The server takes no field that it does not know, and leaves out what is empty.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from generators.errors import FleetError, wrong

API = "/apis/v2beta1"
SECONDS = 30
"""How long one call may take."""
PAGE = 100
NOT_FOUND, CONFLICT = 404, 409
SIGN_IN = "sign in with a browser, and give the cookies of that session: see docs/how-to/write-a-pipeline.md"


class Refused(FleetError):
    """The server said no, with this HTTP status."""

    def __init__(self, status: int, error: FleetError) -> None:
        self.status = status
        super().__init__(error.problems)


class _Stay(HTTPRedirectHandler):
    """The load balancer sends whoever is not signed in to a login page, which is no place for a program."""

    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass(frozen=True, repr=False)
class Api:
    """An installation by its URL. `cookie` is the header of a signed-in session, and is shown nowhere."""

    url: str
    cookie: str = ""

    def call(self, method: str, path: str, query: Mapping[str, str] | None = None, body: object = None) -> Any:
        """What the server answers, as JSON. Raises Refused where it says no, FleetError where it cannot be asked."""
        data = None if body is None else json.dumps(body).encode()
        return self._send(method, path, query, data, "application/json")

    def upload(self, path: str, query: Mapping[str, str], name: str, text: str) -> Any:
        """As `call`, with a file as forms send it."""
        border = secrets.token_hex(16)
        head = f'--{border}\r\nContent-Disposition: form-data; name="uploadfile"; filename="{name}"\r\n\r\n'
        data = f"{head}{text}\r\n--{border}--\r\n".encode()
        return self._send("POST", path, query, data, f"multipart/form-data; boundary={border}")

    def pages(self, path: str, kind: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """Everything of a list, page after page; `kind` is the list's name in the answers."""
        token = ""
        while True:
            found = self.call("GET", path, {**query, "page_size": str(PAGE), "page_token": token})
            yield from found.get(kind, [])
            token = found.get("next_page_token", "")
            if not token:
                return

    def _send(self, method: str, path: str, query: Mapping[str, str] | None, data: bytes | None, kind: str) -> Any:
        asked = {key: value for key, value in (query or {}).items() if value}
        address = self.url + API + path + (f"?{urlencode(asked)}" if asked else "")
        headers = {"Content-Type": kind} | ({"Cookie": self.cookie} if self.cookie else {})
        request = Request(address, data, headers, method=method)  # noqa: S310 (the scheme is checked where it is given)
        where = f"{method} {self.url}{API}{path}"
        try:
            with build_opener(_Stay).open(request, timeout=SECONDS) as answer:
                return _answer(where, answer)
        except HTTPError as error:
            raise _refused(where, error) from None
        except (URLError, HTTPException, OSError) as error:
            said = getattr(error, "reason", error)
            raise wrong(where, f"cannot be reached: {said}", hint="is Kubeflow Pipelines up?") from None


def _answer(where: str, answer: HTTPResponse) -> Any:
    text = answer.read()
    try:
        return json.loads(text or b"{}")
    except ValueError:
        raise wrong(where, "answers with a page and no data", hint=SIGN_IN) from None


def _refused(where: str, error: HTTPError) -> FleetError:
    if error.code in {301, 302, 303, 307, 308, 401}:
        return Refused(error.code, wrong(where, "asks to sign in", hint=SIGN_IN))
    said = _said(error)
    return Refused(error.code, wrong(where, f"{error.code} {said or error.reason}"))


def _said(error: IO[bytes]) -> str:
    """The server's own words: gRPC's way for most calls, another for uploads."""
    try:
        body = json.loads(error.read())
        return str(body.get("message") or body.get("error_message") or body.get("error") or "")
    except (ValueError, AttributeError, OSError):
        return ""


def experiment(api: Api, name: str) -> str:
    """Id of the experiment `name`, made where it is missing. Raises FleetError for one that is archived."""
    found = _experiment(api, name)
    if found is None:
        try:
            found = api.call("POST", "/experiments", body={"display_name": name})
        except Refused as error:
            found = _experiment(api, name) if error.status == CONFLICT else None
            if found is None:
                raise
    if found.get("storage_state") == "ARCHIVED":
        raise wrong(f"experiment {name}", "is archived", hint="restore it in the pages, or give another --experiment")
    return str(found["experiment_id"])


def _experiment(api: Api, name: str) -> dict[str, Any] | None:
    return next(api.pages("/experiments", "experiments", {"filter": _named(name)}), None)


def version(api: Api, pipeline: str, meaning: str, name: str, text: str) -> tuple[str, str]:
    """Ids of a pipeline and of its version `name`, each uploaded where it is missing: twice is as good as once."""
    parent = _pipeline(api, pipeline, meaning)
    found = _version(api, parent, name)
    if found is None:
        query = {"pipelineid": parent, "name": name, "display_name": name}
        try:
            found = api.upload("/pipelines/upload_version", query, f"{pipeline}.yaml", text)
        except Refused as error:  # someone else was quicker; what has this name has this content
            found = _version(api, parent, name) if error.status == CONFLICT else None
            if found is None:
                raise
    return parent, str(found["pipeline_version_id"])


def _pipeline(api: Api, name: str, meaning: str) -> str:
    path = f"/pipelines/names/{quote(name, safe='')}"
    try:
        return str(api.call("GET", path)["pipeline_id"])
    except Refused as error:
        if error.status != NOT_FOUND:
            raise
    try:
        body = {"name": name, "display_name": name, "description": meaning}
        return str(api.call("POST", "/pipelines", body=body)["pipeline_id"])
    except Refused as error:
        if error.status != CONFLICT:
            raise
    return str(api.call("GET", path)["pipeline_id"])


def _version(api: Api, pipeline_id: str, name: str) -> dict[str, Any] | None:
    path = f"/pipelines/{quote(pipeline_id, safe='')}/versions"
    return next(api.pages(path, "pipeline_versions", {"filter": _named(name)}), None)


def start(api: Api, name: str, experiment_id: str, pipeline: tuple[str, str], parameters: Mapping[str, Any]) -> str:
    """Starts a run of a pipeline's version; says the run's id."""
    body = {
        "display_name": name,
        "experiment_id": experiment_id,
        "pipeline_version_reference": {"pipeline_id": pipeline[0], "pipeline_version_id": pipeline[1]},
        "runtime_config": {"parameters": dict(parameters)},
    }
    return str(api.call("POST", "/runs", body=body)["run_id"])


def run(api: Api, run_id: str) -> dict[str, Any]:
    """A run as it stands."""
    found: dict[str, Any] = api.call("GET", f"/runs/{quote(run_id, safe='')}")
    return found


def _named(name: str) -> str:
    predicate = {"operation": "EQUALS", "key": "display_name", "string_value": name}
    return json.dumps({"predicates": [predicate]})
