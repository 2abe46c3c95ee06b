"""The real CoreDNS, as `make control-plane` builds it, with a Corefile of ours.

Only where it listens, whom it signs in as and whom it forwards to are other than in a cluster; a Corefile of another
shape than `placed` knows is an error, so that nothing is left out unseen.
"""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset

from generators.lab.home import free_port
from tests.tool_needed import needed

LOOPBACK = "127.0.0.1"
ANSWER_SECONDS = 2.0
STARTED_WITHIN = 60.0
"""Seconds; one is usual. More only on a machine that does much else."""
ATTEMPTS = 5
"""Another process may take the port that was free a moment ago."""
OUTSIDE = "203.0.113.80"
"""Where every name outside of the cluster is, by the stand-in of the VPC resolver."""


@dataclass
class Running:
    """A CoreDNS that runs. Its ports are on loopback."""

    process: subprocess.Popen[bytes]
    log: Path
    port: int
    health: int
    ready: int
    metrics: int

    def ask(self, name: str, kind: str = "A", *, tcp: bool = False) -> tuple[str, list[str]]:
        """The answer's code, as in `NOERROR`, and its records' values, sorted."""
        query, wanted = dns.message.make_query(name, kind), dns.rdatatype.from_text(kind)
        found = self._tcp(query) if tcp else self._udp(query)
        records = [str(record) for each in found.answer if each.rdtype == wanted for record in each]
        return dns.rcode.to_text(found.rcode()), sorted(records)

    def _tcp(self, query: dns.message.Message) -> dns.message.Message:
        return dns.query.tcp(query, LOOPBACK, timeout=ANSWER_SECONDS, port=self.port)

    def _udp(self, query: dns.message.Message) -> dns.message.Message:
        """Asks again as every resolver does: its readiness probe passes a moment before it listens."""
        for attempt in range(ATTEMPTS):
            try:
                return dns.query.udp(query, LOOPBACK, timeout=ANSWER_SECONDS, port=self.port)
            except dns.exception.Timeout:
                if attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    def get(self, port: int, path: str) -> str:
        """What it answers over HTTP. Raises OSError, also for an answer that is not 200."""
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}{path}", timeout=ANSWER_SECONDS) as answer:
            return str(answer.read().decode())

    def said(self) -> str:
        """Its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def until_said(self, text: str) -> None:
        """Waits until its log holds the text. Raises TimeoutError with the log."""
        end = time.monotonic() + STARTED_WITHIN
        while text not in self.said():
            if time.monotonic() > end or self.process.poll() is not None:
                raise TimeoutError(f"CoreDNS did not say {text!r}:\n{self.said()}")
            time.sleep(0.05)


@contextmanager
def coredns(corefile: str, kubeconfig: Path, folder: Path) -> Iterator[Running]:
    """One that is ready; it ends with the block. Raises RuntimeError with its own words where it does not start."""
    with _resolver() as upstream:
        for attempt in range(1, ATTEMPTS + 1):
            ports = [free_port() for _ in range(4)]
            file = folder / "Corefile"
            file.write_text(placed(corefile, ports, upstream, kubeconfig), encoding="utf-8")
            with _started(file, folder / f"coredns-{attempt}.log", ports) as running:
                if _ready(running):
                    yield running
                    return
            if attempt == ATTEMPTS or "address already in use" not in running.said():
                raise RuntimeError(running.said())


def placed(corefile: str, ports: list[int], upstream: int, kubeconfig: Path) -> str:
    """The Corefile with these ports (DNS, health, ready, metrics), resolver and kubeconfig, and else as it was."""
    answers, health, ready, metrics = ports
    for pattern, replacement in (
        (r"^\.:53 \{$", f".:{answers} {{\n    bind {LOOPBACK}"),
        (r"^    health \{$", f"    health {LOOPBACK}:{health} {{"),
        (r"^    ready$", f"    ready {LOOPBACK}:{ready}"),
        (r"^(    kubernetes .*\{)$", rf"\1\n        kubeconfig {kubeconfig}"),
        (r"^    prometheus :9153$", f"    prometheus {LOOPBACK}:{metrics}"),
        (r"^    forward \. /etc/resolv\.conf", f"    forward . {LOOPBACK}:{upstream}"),
    ):
        corefile, found = re.subn(pattern, replacement, corefile, flags=re.MULTILINE)
        if found != 1:
            raise ValueError(f"{pattern} is {found} times in the Corefile, not once")
    return corefile


@contextmanager
def _started(corefile: Path, log: Path, ports: list[int]) -> Iterator[Running]:
    command = [str(needed("coredns")), "-conf", str(corefile)]
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL) as process:
        try:
            yield Running(process, log, *ports)
        finally:
            process.send_signal(signal.SIGKILL)


def _ready(running: Running) -> bool:
    """Waits until its readiness probe passes; False where it ended instead."""
    end = time.monotonic() + STARTED_WITHIN
    while running.process.poll() is None:
        try:
            running.get(running.ready, "/ready")
        except OSError as error:
            if time.monotonic() > end:
                raise RuntimeError(f"CoreDNS is not ready: {error}\n{running.said()}") from None
            time.sleep(0.05)
        else:
            return True
    return False


@contextmanager
def _resolver() -> Iterator[int]:
    """A stand-in of the VPC resolver, which only AWS has: its port. It answers over UDP alone."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind((LOOPBACK, 0))
        ended = threading.Event()
        listening.settimeout(0.1)
        thread = threading.Thread(target=_resolve, args=(listening, ended))
        thread.start()
        try:
            yield int(listening.getsockname()[1])
        finally:
            ended.set()
            thread.join()


def _resolve(listening: socket.socket, ended: threading.Event) -> None:
    while not ended.is_set():
        try:
            asked, sender = listening.recvfrom(4096)
        except TimeoutError:
            continue
        query = dns.message.from_wire(asked)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        (question,) = query.question
        if question.rdtype == dns.rdatatype.A:
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", "A", OUTSIDE))
        listening.sendto(answer.to_wire(), sender)
