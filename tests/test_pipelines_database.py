"""The Job that makes the database's users, run as it stands against a real MariaDB, with secrets as they come to it.

Its client is MariaDB's, behind a script that turns one flag of MySQL's into MariaDB's. MySQL 8.4 itself was not run.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.mariadb import MASTER, MariaDb, program, running
from tests.pipelines import committed, container, of_kind, the
from tests.tool_needed import needed

CLIENT = """#!/bin/sh
for word; do
  case $word in
    --ssl-mode=VERIFY_IDENTITY) set -- "$@" --ssl-verify-server-cert --protocol=tcp;;
    *) set -- "$@" "$word";;
  esac
  shift
done
exec {mariadb} "$@"
"""


@pytest.fixture
def server() -> Iterator[MariaDb]:
    # Not pytest's tmp_path: the path of a Unix socket has at most 107 characters.
    with tempfile.TemporaryDirectory(prefix="fleet-db-") as name, running(Path(name)) as found:
        yield found


def secret(server: MariaDb, password: str, version: str = "1") -> dict[str, Any]:
    """What Terraform writes to Secrets Manager."""
    facts = {"host": server.host, "port": server.port, "username": MASTER, "password": password, "version": version}
    return {key: str(value) for key, value in facts.items()}


def kept(folder: Path, facts: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Every Secret that external-secrets would keep, by name. In its place stands helm, which has the same templates:
    Go's, with sprig's functions."""
    chart = folder / "chart"
    (chart / "templates").mkdir(parents=True, exist_ok=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: secrets\nversion: 0.1.0\n")
    (chart / "values.yaml").write_text(yaml.safe_dump(facts))
    for each in of_kind(committed("prod-tokyo"), "ExternalSecret"):
        name, template = each["metadata"]["name"], each["spec"]["target"]["template"]
        assert template["engineVersion"] == "v2"
        head = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\nstringData:\n"
        body = "".join(f"  {key}: |-\n{textwrap.indent(text, '    ')}\n" for key, text in template["data"].items())
        (chart / "templates" / f"{name}.yaml").write_text("{{- with .Values }}\n" + head + body + "{{- end }}\n")
    made = subprocess.run(
        [needed("helm"), "template", "x", chart], check=True, capture_output=True, text=True, env=os.environ
    ).stdout
    return {each["metadata"]["name"]: each["stringData"] for each in yaml.safe_load_all(made) if each}


def job(folder: Path, server: MariaDb, facts: dict[str, Any], wanted: str = "1") -> subprocess.Popen[str]:
    """Starts the Job's own script; its volumes are folders here, and it looks more often."""
    objects = committed("prod-tokyo")
    for name, files in (
        ("database", kept(folder, facts)["database-admin"]),
        ("sql", the(objects, "ConfigMap", "database-users")["data"]),
        ("bin", {"mysql": CLIENT.format(mariadb=program("mariadb"))}),
    ):
        (folder / name).mkdir(exist_ok=True)
        for file, text in files.items():
            (folder / name / file).write_text(text)
    (folder / "bin" / "mysql").chmod(0o755)
    one = container(the(objects, "Job", "database-users"))
    [script] = one["args"]
    for path, here in (("/database/", folder / "database"), ("/sql/", folder / "sql")):
        script = script.replace(path, f"{here}/")
    script = script.replace("/etc/rds-ca/rds-ca.pem", str(server.ca)).replace("sleep 15", "sleep 0.1")
    environment = {"PATH": f"{folder}/bin:/usr/bin:/bin", "PASSWORD_VERSION": wanted}
    return subprocess.Popen(
        [*one["command"], script], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def done(process: subprocess.Popen[str]) -> str:
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    return said


def clients(folder: Path, facts: dict[str, Any]) -> dict[str, str]:
    """User → password, as the API server and the metadata store get them."""
    secrets = kept(folder, facts)
    server, store = secrets["ml-pipeline-database"], secrets["metadata-database"]["config.pbtxt"]
    assert (server["DBCONFIG_MYSQLCONFIG_HOST"], server["DBCONFIG_MYSQLCONFIG_PORT"]) == (facts["host"], facts["port"])
    assert f'host: "{facts["host"]}"' in store
    assert f"port: {facts['port']}" in store
    fields = dict(re.findall(r'(user|password): "([^"]*)"', store))
    return {
        server["DBCONFIG_MYSQLCONFIG_USER"]: server["DBCONFIG_MYSQLCONFIG_PASSWORD"],
        fields["user"]: fields["password"],
    }


def test_users_are_made_and_a_second_run_changes_nothing(server: MariaDb, tmp_path: Path) -> None:
    facts = secret(server, server.password)
    assert "Users are as they should be." in done(job(tmp_path, server, facts))
    state = "SELECT User, plugin, authentication_string, ssl_type, max_user_connections FROM mysql.user ORDER BY User"
    before = server.administer(state)
    assert "Users are as they should be." in done(job(tmp_path, server, facts))
    assert server.administer(state) == before
    assert before.count("mysql_native_password") >= 3
    for user, password in clients(tmp_path, facts).items():
        assert password not in before
        answer = server.ask(user, password, "SELECT CURRENT_USER()")
        assert answer.stdout.strip() == f"{user}@%", answer.stderr
        assert "ANY\t100" in next(line for line in before.splitlines() if line.startswith(user))


def test_a_changed_password_reaches_the_users(server: MariaDb, tmp_path: Path) -> None:
    old = secret(server, server.password)
    done(job(tmp_path, server, old))
    new = secret(server, "another" + server.password, version="2")
    server.administer(f"ALTER USER '{MASTER}'@'%' IDENTIFIED BY '{new['password']}'")
    done(job(tmp_path, server, new, wanted="2"))
    before, after = clients(tmp_path, old), clients(tmp_path, new)
    for user, password in after.items():
        assert before[user] != password
        assert server.ask(user, password, "SELECT 1").returncode == 0
        assert "Access denied" in server.ask(user, before[user], "SELECT 1").stderr


def test_it_waits_for_the_version_of_the_password_that_git_says(server: MariaDb, tmp_path: Path) -> None:
    process = job(tmp_path, server, secret(server, server.password), wanted="2")
    assert process.stdout
    assert process.stdout.readline().startswith("The secret has version '1' of the password, git says 2: waiting for")
    assert process.poll() is None
    assert "mlpipeline" not in server.administer("SELECT User FROM mysql.user")
    (tmp_path / "database" / "version").write_text("2")
    done(process)
    assert "mlpipeline" in server.administer("SELECT User FROM mysql.user")


def test_a_wrong_master_password_fails_so_that_the_job_tries_again(server: MariaDb, tmp_path: Path) -> None:
    process = job(tmp_path, server, secret(server, "wrong"))
    said, _ = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "Access denied" in said


def test_each_user_has_its_own_database_and_no_other(server: MariaDb, tmp_path: Path) -> None:
    facts = secret(server, server.password)
    done(job(tmp_path, server, facts))
    passwords = clients(tmp_path, facts)
    assert passwords.keys() == {"mlpipeline", "metadb"}
    for user, password in passwords.items():
        # What a start and an upgrade do: tables with foreign keys and indexes, changed and dropped.
        work = (
            "CREATE TABLE a (id INT PRIMARY KEY); "
            "CREATE TABLE b (id INT PRIMARY KEY, a INT, FOREIGN KEY (a) REFERENCES a (id)); "
            "ALTER TABLE b ADD COLUMN c VARCHAR(255); CREATE INDEX c ON b (c); INSERT INTO a VALUES (1); "
            "UPDATE a SET id = 2; DELETE FROM a; DROP INDEX c ON b; DROP TABLE b; DROP TABLE a; SELECT 'worked'"
        )
        answer = server.ask(user, password, f"USE {user}; {work}")
        assert answer.stdout.strip() == "worked", answer.stderr
        other = next(each for each in passwords if each != user)
        for forbidden in (f"USE {other}", "CREATE DATABASE other", "SELECT * FROM mysql.user", "CREATE USER sly"):
            assert "denied" in server.ask(user, password, forbidden).stderr, forbidden
    # The API server asks for its database at each start, and goes on only if that exists.
    answer = server.ask("mlpipeline", passwords["mlpipeline"], "CREATE DATABASE mlpipeline")
    assert "1007" in answer.stderr


def test_nobody_gets_in_without_tls(server: MariaDb, tmp_path: Path) -> None:
    facts = secret(server, server.password)
    done(job(tmp_path, server, facts))
    for user, password in clients(tmp_path, facts).items():
        assert server.ask(user, password, "SELECT 1").returncode == 0
        assert "Access denied" in server.ask(user, password, "SELECT 1", tls=False).stderr


def test_the_pages_sign_with_a_secret_of_their_own(server: MariaDb, tmp_path: Path) -> None:
    facts = secret(server, server.password)
    signing = kept(tmp_path, facts)["ml-pipeline-ui"]["signing-secret"]
    assert re.fullmatch(r"[0-9a-f]{64}", signing)
    assert signing not in clients(tmp_path, facts).values()
    assert facts["password"] not in signing
