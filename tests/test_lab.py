"""Parts of the lab that need no control plane; `make e2e` runs the whole."""

from __future__ import annotations

import dataclasses
import http.server
import json
import os
import signal
import socketserver
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from generators.cli.main import app
from generators.lab import control, control_plane, keys, nodes, repository, stand_ins
from generators.lab.charts import left_out
from generators.lab.home import Home
from generators.lab.processes import LabFailed, Processes, first_failure
from generators.model.catalog import Inputs
from generators.model.managed_groups import managed_groups
from generators.model.names import GROUP_LABEL
from tests.fleets import ROOT, committed

CLUSTERS = ["dev-tokyo", "prod-tokyo"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return control.home_of("dev-tokyo").make()


@given(total=st.integers(0, 2000), name=st.sampled_from(CLUSTERS))
@settings(max_examples=50, deadline=None)
def test_nodes_add_up_and_keep_to_each_groups_limits(total: int, name: str) -> None:
    inputs = committed().load(name)
    groups = managed_groups(inputs.cluster)
    found = nodes.counts(inputs, total)
    assert all(each.min <= found[each.key] <= each.max for each in groups)
    least, most = sum(each.min for each in groups), sum(each.max for each in groups)
    assert sum(found.values()) == min(max(total, least), most)


@pytest.mark.parametrize("name", CLUSTERS)
def test_a_node_is_as_its_group_says(name: str) -> None:
    inputs = committed().load(name)
    made = nodes.nodes(inputs, dict.fromkeys(nodes.counts(inputs), 3))
    for each in managed_groups(inputs.cluster):
        ours = [node for node in made if node["metadata"]["labels"]["eks.amazonaws.com/nodegroup"] == each.name]
        assert len(ours) == 3
        labels = [node["metadata"]["labels"] for node in ours]
        assert {found["topology.kubernetes.io/zone"] for found in labels} == set(each.zones)
        assert {found[GROUP_LABEL] for found in labels} == {each.declared}
        instance = inputs.catalog.instances[each.group.instance_types[0]]
        gpus = instance.gpus * ((each.group.gpu.slices or 1) if each.group.gpu else 0)
        assert {node["status"]["allocatable"].get("nvidia.com/gpu", "0") for node in ours} == {str(gpus)}
    names = [node["metadata"]["name"] for node in made]
    assert len(set(names)) == len(names)


def test_only_charts_on_the_internet_are_left_out() -> None:
    inputs = committed().load("prod-tokyo")
    found = left_out(inputs)
    assert set(found) == {name for name, each in inputs.apps().items() if each.chart}
    assert "9.59.0 is at https://" in found["cluster-autoscaler"]


def test_the_repository_leaves_out_what_is_asked(tmp_path: Path) -> None:
    made = repository.make(ROOT, tmp_path / "repository")
    repository.leave_out(made, "dev-tokyo", ["argo-cd"])
    made.commit("all but one")
    listed = subprocess.run(
        ["git", "-C", made.folder, "ls-files", "clusters/dev-tokyo/generated/argocd"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "/argo-cd.yaml" not in listed
    assert "/coredns.yaml" in listed
    with pytest.raises(ValueError, match="root Application"):
        repository.leave_out(made, "dev-tokyo", ["root"])


def test_certificates_are_of_the_labs_authority(home: Home) -> None:
    authority = keys.authority(home)
    file, _ = authority.issue("kube-apiserver", server=True)
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    certificate.verify_directly_issued_by(authority.certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "127.0.0.1" in map(str, names.get_values_for_type(x509.IPAddress))
    assert (home.folder / "keys" / "kube-apiserver.key").stat().st_mode & 0o077 == 0


def test_a_secret_has_every_key_that_was_promised() -> None:
    spec = {"target": {"name": "made", "template": {"data": {"host": "{{ .host }}"}}}, "data": [{"secretKey": "x"}]}
    metadata = {"name": "external", "namespace": "kubeflow"}
    found = stand_ins.secret({"metadata": metadata, "spec": spec})
    assert (found["metadata"]["name"], found["metadata"]["namespace"]) == ("made", "kubeflow")
    assert list(found["data"]) == ["host"]
    del spec["target"]
    assert list(stand_ins.secret({"metadata": metadata, "spec": spec})["data"]) == ["x"]


PARENT = """
import sys, time
from pathlib import Path
from generators.lab.processes import Processes
made = Processes(Path(sys.argv[1]))
made.start("sleeper", ["sleep", "600"])
print(made.running["sleeper"].pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_programs_die_with_who_started_them(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        os.kill(child, 0)
        parent.send_signal(signal.SIGKILL)
    for _ in range(100):
        if not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().split()[2]:
            return
        time.sleep(0.1)
    pytest.fail("the child lives on")


def test_a_program_that_ends_is_told_with_its_first_failure(tmp_path: Path) -> None:
    made = Processes(tmp_path)
    script = "echo fine; echo 'Error: the port is taken'; echo more; exit 3"
    made.start("broken", ["sh", "-c", script])
    with pytest.raises(LabFailed, match=r"broken ended with code 3: Error: the port is taken\nits log: .*broken\.log"):
        made.until("anything", lambda: "not yet", 30)
    assert first_failure(tmp_path / "none.log").startswith("it said nothing")


def test_what_is_waited_for_too_long_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabFailed, match="the moon: not within 0 s: it is far"):
        Processes(tmp_path).until("the moon", lambda: "it is far", 0)


def test_status_of_none_and_of_one_that_ended(home: Home) -> None:
    runner = CliRunner()
    done = runner.invoke(app, ["lab", "status", "-o", "json"])
    (found,) = json.loads(done.stdout)
    assert (found["cluster"], found["up"]) == ("dev-tokyo", False)
    # A number that now belongs to another program is not the lab's keeper.
    told = control_plane.told("1.36.3", "1.35")
    home.write("state.json", json.dumps({"pid": os.getpid(), "left_out": {}, "kubernetes": told}))
    assert not control.status("dev-tokyo").up
    assert told in runner.invoke(app, ["lab", "status"], env={"COLUMNS": "300"}).stdout
    assert json.loads(runner.invoke(app, ["lab", "status", "-o", "json"]).stdout)[0]["kubernetes"] == told
    assert control.down("dev-tokyo")
    assert not control.down("dev-tokyo")
    assert "there is no lab" in runner.invoke(app, ["lab", "status"]).stderr


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("1.36", "Kubernetes 1.36.3"),
        ("1.35", "Kubernetes 1.36.3, though the cluster file says 1.35"),
        ("1.3", "Kubernetes 1.36.3, though the cluster file says 1.3"),
    ],
)
def test_another_minor_than_the_cluster_files_is_said(wanted: str, said: str) -> None:
    assert control_plane.told("1.36.3", wanted) == said


@pytest.mark.usefixtures("home")
def test_a_lab_needs_a_cluster() -> None:
    done = CliRunner().invoke(app, ["lab", "up", "nobody"])
    assert done.exit_code == 2
    assert "nobody" in done.stderr


class Index(http.server.BaseHTTPRequestHandler):
    """A chart repository that has an index below /charts alone."""

    def do_HEAD(self) -> None:
        self.send_response(200 if self.path == "/charts/index.yaml" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def test_charts_whose_repositories_answer_are_in() -> None:
    inputs = committed().load("dev-tokyo")
    with socketserver.TCPServer(("127.0.0.1", 0), Index) as server:
        threading.Thread(target=server.serve_forever).start()
        here = f"http://127.0.0.1:{server.server_address[1]}"
        places = {"metrics-server": f"{here}/charts/", "cluster-autoscaler": here, "node-local-dns": "127.0.0.1:1/x"}
        try:
            found = left_out(moved(inputs, places), "auto")
        finally:
            server.shutdown()
    assert "metrics-server" not in found
    assert found["cluster-autoscaler"].endswith(f"9.59.0 is at {here}: HTTP Error 404: Not Found")
    assert "127.0.0.1:1/x: [Errno 111]" in found["node-local-dns"]


def test_every_chart_or_none() -> None:
    inputs = committed().load("dev-tokyo")
    assert left_out(inputs, "all") == {}
    assert "metrics-server" in left_out(inputs, "none")


def moved(inputs: Inputs, places: dict[str, str]) -> Inputs:
    """These charts in other repositories, and no others."""
    apps = {
        name: app.model_copy(
            update={
                "chart": app.chart.model_copy(update={"repository": places[name]})
                if app.chart and name in places
                else None
            }
        )
        for name, app in inputs.catalog.apps.items()
    }
    return dataclasses.replace(inputs, catalog=dataclasses.replace(inputs.catalog, apps=apps))
