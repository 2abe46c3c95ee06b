"""CloudWatch Logs for a Fluent Bit on this machine: over TLS, since Fluent Bit speaks no other way to AWS.

It keeps what is put, and refuses what AWS refuses of what matters here: a group or a stream that nobody made.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from tests import certificates


@dataclass
class Logs:
    """`events`: group, stream, the format that the request names or "", message; in the order in which they came."""

    groups: set[str]
    port: int = 0
    streams: set[tuple[str, str]] = field(default_factory=set)
    events: list[tuple[str, str, str, str]] = field(default_factory=list)

    def messages(self, group: str) -> list[str]:
        """What a group holds."""
        return [message for into, _, _, message in self.events if into == group]

    def answer(self, action: str, asked: dict[str, Any], format_: str) -> tuple[int, dict[str, str]]:
        """Status and body."""
        place = (asked["logGroupName"], asked["logStreamName"])
        if place[0] not in self.groups or (action == "PutLogEvents" and place not in self.streams):
            return 400, {"__type": "ResourceNotFoundException", "message": "it does not exist"}
        self.streams.add(place)
        self.events += [(*place, format_, each["message"]) for each in asked.get("logEvents", [])]
        return 200, {}


@contextmanager
def logs(groups: set[str], folder: Path) -> Iterator[Logs]:
    """A server with these groups; its certificate lies in `folder`."""
    kept = Logs(groups)

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            action = self.headers["X-Amz-Target"].rpartition(".")[2]
            status, said = kept.answer(action, asked, self.headers.get("x-amzn-logs-format", ""))
            body = json.dumps(said).encode()
            self.send_response(status)
            # Without an id Fluent Bit takes an answer for nobody's.
            self.send_header("x-amzn-RequestId", "1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificates.write(folder)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    kept.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
