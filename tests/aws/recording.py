"""What was asked of moto's server, as it came over the wire: whoever asks, and with whichever SDK."""

from __future__ import annotations

import io
import json
import re
import urllib.request
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

ASKED = "/recorded"
"""Path that tells all of it."""
SIGNED = re.compile(r"Credential=([^/]+)/\d{8}/[^/]+/([^/]+)/aws4_request")
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Asked:
    """One request. `key` and `service` are those of its signature; `form` its body, where that is a form."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    key: str
    service: str
    form: str
    status: int


def around(app: WSGIApplication) -> WSGIApplication:
    """The same application, that keeps what it was asked and what status it answered."""
    asked: list[Asked] = []

    def recording(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == ASKED:
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps([asdict(each) for each in asked]).encode()]
        form = _form(environ)

        def answered(status: str, *more: object) -> object:
            asked.append(_asked(environ, form, int(status.split()[0])))
            return start_response(status, *more)  # type: ignore[arg-type]

        return app(environ, answered)  # type: ignore[arg-type]

    return recording


def recorded(endpoint: str) -> list[Asked]:
    """All requests so far, in the order in which they were answered."""
    with urllib.request.urlopen(endpoint + ASKED) as answer:  # noqa: S310 (moto's own address)
        return [Asked(**each) for each in json.loads(answer.read())]


def _form(environ: WSGIEnvironment) -> str:
    """The body, which stays to be read."""
    if not environ.get("CONTENT_TYPE", "").startswith(FORM):
        return ""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return str(body.decode())


def _asked(environ: WSGIEnvironment, form: str, status: int) -> Asked:
    headers = {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")}
    key, service = match.groups() if (match := SIGNED.search(headers.get("authorization", ""))) else ("", "")
    path, _, query = str(environ["RAW_URI"]).partition("?")
    return Asked(environ["REQUEST_METHOD"], path, query, headers, key, service, form, status)
