"""The real CoreDNS reads each rendered Corefile, as the ServiceAccount and with the rights that are rendered with it.

The Corefile of node-local DNS is made by a chart from elsewhere, and is in no file of this repository.
"""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from generators.lab import eks
from generators.model import names
from generators.tools import kustomize
from generators.tools.binaries import DNS
from tests.control_plane import ControlPlane
from tests.coredns import OUTSIDE, Running, coredns
from tests.fleets import ROOT, committed
from tests.tool_needed import needed

Object = dict[str, Any]
CLUSTERS = ["dev-tokyo", "prod-tokyo"]
WEB, DATABASE = "172.20.7.7", "100.64.3.9"

NOWHERE = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "nowhere", "cluster": {"server": "https://127.0.0.1:1"}}],
    "contexts": [{"name": "nowhere", "context": {"cluster": "nowhere"}}],
    "current-context": "nowhere",
}
"""A kubeconfig of no API server: what is wrong in a Corefile is told before one is asked."""


def rendered(cluster: str) -> list[Object]:
    """CoreDNS's objects, as Argo CD gets them."""
    needed("kustomize")
    built = kustomize.build(ROOT / "clusters" / cluster / "generated" / "overlays" / "coredns")
    return [each for each in yaml.safe_load_all(built) if each]


def corefile(objects: list[Object]) -> str:
    (found,) = [each for each in objects if each["kind"] == "ConfigMap"]
    return str(found["data"]["Corefile"])


def service(name: str, address: str) -> Object:
    spec = {"clusterIP": address, "selector": {"app": name}, "ports": [{"name": "main", "port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "default"}, "spec": spec}


def endpoints(name: str, address: str) -> Object:
    """What the EndpointSlice controller would write for a pod that is ready; no controllers run here."""
    metadata = {"name": name, "namespace": "default", "labels": {"kubernetes.io/service-name": name}}
    endpoint = {"addresses": [address], "hostname": f"{name}-0", "conditions": {"ready": True}}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": metadata,
        "addressType": "IPv4",
        "endpoints": [endpoint],
        "ports": [{"name": "main", "port": 80, "protocol": "TCP"}],
    }


def sign_in(server: ControlPlane, folder: Path) -> Path:
    """A kubeconfig of CoreDNS's own ServiceAccount."""
    config = yaml.safe_load(server.kubeconfig.read_text())
    token = server.kubectl("create", "token", "coredns", "-n", "kube-system").strip()
    config["users"][0]["user"] = {"token": token}
    file = folder / "coredns.kubeconfig"
    file.write_text(json.dumps(config))
    return file


@pytest.fixture(params=CLUSTERS)
def running(request: pytest.FixtureRequest, api_server: ControlPlane, tmp_path: Path) -> Iterator[Running]:
    """CoreDNS of a committed cluster on a real API server, which has a Service with an address and one without."""
    needed("coredns")
    ours = rendered(request.param)
    work = [service("web", WEB), service("db", "None"), endpoints("web", "100.64.3.8"), endpoints("db", DATABASE)]
    api_server.kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump_all([*ours, *work]))
    with coredns(corefile(ours), sign_in(api_server, tmp_path), tmp_path) as found:
        yield found


def test_it_answers_for_the_cluster_and_beyond(running: Running) -> None:
    wanted = {
        ("web.default.svc.cluster.local", "A"): ("NOERROR", [WEB]),
        ("db.default.svc.cluster.local", "A"): ("NOERROR", [DATABASE]),
        ("db-0.db.default.svc.cluster.local", "A"): ("NOERROR", [DATABASE]),
        ("_main._tcp.db.default.svc.cluster.local", "SRV"): (
            "NOERROR",
            ["0 100 80 db-0.db.default.svc.cluster.local."],
        ),
        ("100-64-3-9.default.pod.cluster.local", "A"): ("NOERROR", [DATABASE]),
        ("7.7.20.172.in-addr.arpa", "PTR"): ("NOERROR", ["web.default.svc.cluster.local."]),
        ("nobody.default.svc.cluster.local", "A"): ("NXDOMAIN", []),
        ("s3.ap-northeast-1.amazonaws.com", "A"): ("NOERROR", [OUTSIDE]),
    }
    assert {asked: running.ask(*asked) for asked in wanted} == wanted
    assert running.ask("web.default.svc.cluster.local", tcp=True) == ("NOERROR", [WEB])
    # Its rights are enough: what it may not list, client-go says.
    assert not re.search("forbidden|Failed to watch", running.said())


def test_its_service_has_the_address_that_kubelets_name(running: Running) -> None:
    address = {names.cluster_dns(committed().load(name).cluster) for name in CLUSTERS}
    assert running.ask("kube-dns.kube-system.svc.cluster.local") == ("NOERROR", [str(each) for each in address])


def test_it_tells_how_it_is(running: Running) -> None:
    assert running.get(running.health, "/health") == "OK"
    assert running.get(running.ready, "/ready") == "OK"
    running.ask("web.default.svc.cluster.local")
    assert "coredns_dns_requests_total{" in running.get(running.metrics, "/metrics")


def test_it_answers_on_while_others_learn_that_it_leaves(running: Running) -> None:
    running.process.send_signal(signal.SIGTERM)
    running.until_said("Going into lameduck mode for 30s")
    assert running.ask("web.default.svc.cluster.local") == ("NOERROR", [WEB])
    assert running.process.poll() is None


def test_eks_own_is_read_too(api_server: ControlPlane, tmp_path: Path) -> None:
    needed("coredns")
    with coredns(eks.COREFILE, api_server.kubeconfig, tmp_path) as running:
        assert running.ask("kubernetes.default.svc.cluster.local")[0] == "NOERROR"


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ("cache {", "cahce {", r"Corefile:\d+ - Error during parsing: Unknown directive 'cahce'"),
        ("pods insecure", "pods everywhere", "wrong value for pods: everywhere"),
        ("serve_stale 1h verify", "serve_stale 1h sometimes", "invalid value for serve_stale refresh mode"),
        ("max_concurrent 1000", "max_concurrent many", r"parsing \"many\": invalid syntax"),
        ("lameduck 30s", "lameduck 30", "missing unit in duration"),
    ],
)
def test_a_broken_one_is_refused(good: str, bad: str, message: str, tmp_path: Path) -> None:
    needed("coredns")
    text = corefile(rendered("prod-tokyo"))
    assert text.count(good) == 1
    file = tmp_path / "kubeconfig"
    file.write_text(json.dumps(NOWHERE))
    with pytest.raises(RuntimeError, match=message), coredns(text.replace(good, bad), file, tmp_path):
        pass


def test_it_is_the_version_that_clusters_run() -> None:
    version = DNS.version("github.com/coredns/coredns")
    assert version
    images = {names.coredns_image(committed().load(name)) for name in CLUSTERS}
    assert {image.rpartition(":")[2].partition("-")[0] for image in images} == {f"v{version}"}
