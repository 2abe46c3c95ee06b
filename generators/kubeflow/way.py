"""The way to an installation: a port-forward that lives as long as the command, or a URL that was given."""

from __future__ import annotations

import re
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from generators.errors import FleetError, wrong
from generators.kubeflow.api import Api
from generators.tools.kubectl import Kubectl

NAMESPACE, SERVICE, PORT = "kubeflow", "ml-pipeline", 8888
START_SECONDS, STOP_SECONDS = 30, 5
READY = re.compile(rb"Forwarding from 127\.0\.0\.1:(\d+) ")
SESSION = "AWSELBAuthSessionCookie-0="
"""How the cookie of a session at an Application Load Balancer begins; a long one goes on as -1, -2, …"""
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def bucket(kubectl: Kubectl) -> str | None:
    """The bucket that the installation behind kubectl keeps its artifacts in; None where that may not be read."""
    path = "jsonpath={.data.defaultPipelineRoot}"
    command = kubectl.command("get", "configmap", "kfp-launcher", "--namespace", NAMESPACE, "--output", path)
    done = subprocess.run(  # noqa: S603 (its own arguments)
        [*command, f"--request-timeout={START_SECONDS}s"], capture_output=True, text=True, check=False
    )
    if done.returncode and "Forbidden" not in done.stderr:
        raise _failed(done.stderr)
    found = re.match(r"s3://([^/]+)/", done.stdout)
    return found[1] if found else None


@contextmanager
def forwarded(kubectl: Kubectl) -> Iterator[Api]:
    """The API through `kubectl port-forward`, on a free port of this machine. Raises FleetError where that fails."""
    target = ["port-forward", "--namespace", NAMESPACE, "--address", "127.0.0.1", f"service/{SERVICE}", f":{PORT}"]
    process = subprocess.Popen(  # noqa: S603 (its own arguments)
        kubectl.command(*target), stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
    )
    try:
        yield Api(f"http://127.0.0.1:{_port(process)}")
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _port(process: subprocess.Popen[bytes]) -> int:
    """The port that kubectl chose, as soon as it says it."""
    out, err = process.stdout, process.stderr
    assert out is not None  # noqa: S101 (for mypy: it was asked for)
    assert err is not None  # noqa: S101
    until = time.monotonic() + START_SECONDS
    while select.select([out], [], [], max(0.0, until - time.monotonic()))[0]:
        line = out.readline()
        if not line:  # it ended
            raise _failed(err.read().decode(errors="replace"))
        if found := READY.match(line):
            return int(found[1])
    raise _failed(f"it did not forward a port within {START_SECONDS} seconds")


def _failed(said: str) -> FleetError:
    message = (said.strip().splitlines() or ["it ended without a word"])[-1].removeprefix("error: ")
    hint = "`aws eks update-kubeconfig` signs kubectl in; or reach the pages by --url, with the cookie of a session"
    return wrong("kubectl port-forward", message, hint=hint)


def given(url: str, cookie: str) -> Api:
    """The API at a URL. Raises FleetError for what is no URL or no cookie, and for a cookie sent in the open."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise wrong(
            "--url", f"`{url}` is no URL of Kubeflow Pipelines", hint="for example https://pipelines.example.com"
        )
    if cookie and parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise wrong("--url", "would show the session's cookie to everyone on the way", hint="use https")
    return Api(url.rstrip("/"), checked(cookie))


def checked(cookie: str) -> str:
    """The header of a session's cookies. Raises FleetError, without telling it, for what cannot be one."""
    header = cookie.strip().removeprefix("Cookie:").strip()
    if header and (SESSION not in header or not header.isprintable() or not header.isascii()):
        message = f"holds no `{SESSION}…`, or has odd characters in it"
        raise wrong("cookie", message, hint="copy the whole Cookie header of a request from the browser's tools")
    return header


def read_cookie(file: Path | None, environment: str) -> str:
    """The cookie out of a file, or else out of the environment. Raises FleetError for a file that others may read."""
    if file is None:
        return environment
    if not file.is_file():
        raise wrong(str(file), "is no file", key="--cookie-file")
    if file.stat().st_mode & 0o077:
        raise wrong(str(file), "may be read by others", key="--cookie-file", hint=f"chmod 600 {file}")
    return file.read_text(encoding="utf-8")
