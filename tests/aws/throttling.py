"""S3's way to say that it is asked too much, which moto never is: 503 SlowDown, before the request is looked at."""

from __future__ import annotations

from random import Random
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

BODY = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
COUNT = "/throttled"
"""Path that says how many were refused."""


def around(app: WSGIApplication, part: float) -> WSGIApplication:
    """The same application, but that this part of the requests is refused, by a seeded chance."""
    chance, lock, refused = Random(1), Lock(), [0]  # noqa: S311 (the same every time)

    def throttling(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == COUNT:
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [str(refused[0]).encode()]
        with lock:
            if refuse := chance.random() < part:
                refused[0] += 1
        if not refuse:
            return app(environ, start_response)
        # Read, so that the connection stays good for the next request.
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response("503 Slow Down", [("Content-Type", "application/xml"), ("Content-Length", str(len(BODY)))])
        return [BODY]

    return throttling if part else app
