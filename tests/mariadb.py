"""A real MariaDB server for tests, with TLS and a master user who may do what RDS's may.

In place of MySQL 8.4, which no package index here has. Both take the same statements for users; where they differ, and
what only MySQL does, these tests do not see.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import certificates

HOW = "mariadb is missing: on Debian and Ubuntu, apt install mariadb-server"
STARTED_WITHIN = 120.0
"""Seconds; two are usual."""
MASTER = "pipelines"
RDS_MASTER = (
    "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, SHOW DATABASES, "
    "CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, "
    "CREATE USER, EVENT, TRIGGER"
)
"""What RDS grants the master user of MySQL, on *.* and with grant option (RDS user guide, master user privileges)."""


@dataclass(frozen=True)
class MariaDb:
    """A running server. `ca` is the authority that signed its certificate for `host`."""

    host: str
    port: int
    ca: Path
    socket: Path
    password: str

    def administer(self, sql: str) -> str:
        """As root, through the socket: what only the server's owner can do."""
        command = [program("mariadb"), "--no-defaults", f"--socket={self.socket}", "--user=root", "-N", "-e", sql]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def ask(self, user: str, password: str, sql: str, *, tls: bool = True) -> subprocess.CompletedProcess[str]:
        """As a client that verifies the server, its name included, or that does without TLS."""
        how = [f"--ssl-ca={self.ca}", "--ssl-verify-server-cert"] if tls else ["--skip-ssl"]
        where = [f"--host={self.host}", f"--port={self.port}", "--protocol=tcp", f"--user={user}"]
        return subprocess.run(
            [program("mariadb"), "--no-defaults", *where, *how, "-N", "-e", sql],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "MYSQL_PWD": password},
        )


def program(name: str) -> str:
    """Where it is; where it is missing, the test is skipped, but in CI (env `CI`) it fails."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if found:
        return found
    if os.environ.get("CI"):
        pytest.fail(HOW, pytrace=False)
    pytest.skip(HOW)


@contextmanager
def running(folder: Path) -> Iterator[MariaDb]:
    """Starts one, empty but for its master user, and ends it with all that is in it."""
    server, install = program("mariadbd"), program("mariadb-install-db")
    data = folder / "data"
    common = ["--no-defaults", f"--datadir={data}", *(["--user=root"] if os.geteuid() == 0 else [])]
    subprocess.run(
        [install, *common, "--auth-root-authentication-method=normal", "--skip-test-db"],
        check=True,
        capture_output=True,
    )
    certificates.write(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    found = MariaDb("localhost", port, folder / "ca.pem", folder / "sock", secrets.token_hex(20))
    command = [
        *(server, *common, f"--socket={found.socket}", f"--port={port}", "--bind-address=127.0.0.1"),
        *(f"--pid-file={folder}/pid", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=16M"),
        *(f"--ssl-ca={found.ca}", f"--ssl-cert={folder}/server.pem", f"--ssl-key={folder}/server.key"),
    ]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            _ready(found, process, folder / "log")
            made = f"CREATE USER '{MASTER}'@'%' IDENTIFIED BY '{found.password}';"
            found.administer(f"{made} GRANT {RDS_MASTER} ON *.* TO '{MASTER}'@'%' WITH GRANT OPTION")
            yield found
        finally:
            process.kill()  # its data are thrown away with it


def _ready(server: MariaDb, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + STARTED_WITHIN
    while process.poll() is None and time.monotonic() < until:
        try:
            server.administer("SELECT 1")
        except subprocess.CalledProcessError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"mariadbd does not start\n{log.read_text(errors='replace')[-2000:]}")
