"""An HTTP server that answers in AWS's stead what planning asks: who am I, a random password, and hosted zones."""

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
ZONES = {"Z0PROD": "inference.example.com", "Z0DEV": "dev-tokyo.inference.example.com"}
"""Public hosted zones, name by id: those that the committed clusters name."""
ROUTE_53 = "/2013-04-01"
ZONE = """<HostedZone><Id>/hostedzone/{id}</Id><Name>{name}.</Name><CallerReference>{id}</CallerReference>
<Config><PrivateZone>false</PrivateZone></Config></HostedZone>"""
LIST = (
    "<ListHostedZonesResponse><HostedZones>{}</HostedZones><IsTruncated>false</IsTruncated></ListHostedZonesResponse>"
)
TAGS = "<ListTagsForResourceResponse><ResourceTagSet><Tags/></ResourceTagSet></ListTagsForResourceResponse>"
GET = """<GetHostedZoneResponse>{}<DelegationSet><NameServers><NameServer>ns-1.example.net</NameServer></NameServers>
</DelegationSet></GetHostedZoneResponse>"""


def route_53(path: str, zones: dict[str, str]) -> str:
    """What ListHostedZones, GetHostedZone and ListTagsForResource say; an empty text for any other question."""
    found = {identity: ZONE.format(id=identity, name=name) for identity, name in zones.items()}
    answers = {f"{ROUTE_53}/hostedzone": LIST.format("".join(found.values()))}
    for identity, zone in found.items():
        answers[f"{ROUTE_53}/hostedzone/{identity}"] = GET.format(zone)
        answers[f"{ROUTE_53}/tags/hostedzone/{identity}"] = TAGS
    return answers.get(path, "")


@contextmanager
def stand_in(account: str = "123456789012", zones: dict[str, str] = ZONES) -> Iterator[str]:
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

        def do_GET(self) -> None:
            found = route_53(self.path, zones)
            self.answer(200 if found else 501, found)

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
