"""An HTTP server that answers in AWS's stead what planning asks: who am I, and a random password."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

IDENTITY = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::{account}:user/test</Arn><UserId>test</UserId><Account>{account}</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""
PASSWORD = "random-password-of-the-stand-in"  # noqa: S105


@contextmanager
def stand_in(account: str = "123456789012") -> Iterator[str]:
    """The URL of the server, for AWS_ENDPOINT_URL. Any other question is answered with status 501."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if self.headers.get("X-Amz-Target") == "secretsmanager.GetRandomPassword":
                self.answer(200, json.dumps({"RandomPassword": PASSWORD}))
            elif "Action=GetCallerIdentity" in asked:
                self.answer(200, IDENTITY.format(account=account))
            else:
                self.answer(501, "")

        def answer(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
