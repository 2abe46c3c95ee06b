"""Our charts on a real API server: what it admits at which Pod Security level, and what their accounts may do."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from generators.errors import FleetError
from tests import fleets, own_charts
from tests.control_plane import ControlPlane
from tests.own_charts import CHARTS, NAMES, NAMESPACE, pods, template
from tests.tool_needed import needed

CLUSTERS = ["dev-tokyo", "prod-tokyo"]
GPUS = {"gpu": {"used": True}}


def namespace(server: ControlPlane, name: str, level: str) -> None:
    labels = {f"pod-security.kubernetes.io/{mode}": level for mode in ("enforce", "warn")}
    made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    server.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(made))


def run(server: ControlPlane, name: str, spec: dict[str, Any], where: str) -> str:
    """Makes one pod of a workload, as its controller would; what the API server says of it where it refuses."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": where}, "spec": spec}
    try:
        server.kubectl("create", "-f", "-", stdin=json.dumps(pod))
    except FleetError as error:
        return str(error)
    return ""


def may(server: ControlPlane, account: str, *asked: str) -> bool:
    done = subprocess.run(
        [
            *(str(needed("kubectl")), f"--kubeconfig={server.kubeconfig}", "auth", "can-i", *asked),
            f"--as=system:serviceaccount:{NAMESPACE}:{account}",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() in {"yes", "no"}, done.stderr
    return done.stdout.strip() == "yes"


def test_every_object_is_admitted_where_its_app_says(api_server: ControlPlane) -> None:
    for chart in NAMES:
        app = fleets.committed().catalog.apps[chart]
        namespace(api_server, app.namespace, app.pod_security or "")
        for cluster in CLUSTERS:
            objects = template(chart, own_charts.of_cluster(chart, cluster))
            text = "\n".join(json.dumps(each) for each in objects.values())
            api_server.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=text)
            for name, spec in pods(objects).items():
                assert run(api_server, f"{name}-{cluster}", spec, app.namespace) == ""


def test_the_exception_is_no_wider_than_it_must_be(api_server: ControlPlane) -> None:
    for level in ("baseline", "restricted"):
        namespace(api_server, level, level)
    agents = pods(template("cloudwatch-agent", GPUS))
    refused = run(api_server, "agent", agents["cloudwatch-agent"], "baseline")
    assert "host namespaces (hostNetwork=true)" in refused
    assert "hostPath volumes" in refused
    refused = run(api_server, "logs", pods(template("fluent-bit"))["fluent-bit"], "baseline")
    assert 'hostPath volumes (volumes "state", "logs")' in refused
    assert "host namespaces" not in refused
    # It sees nothing of the node, and could live anywhere.
    assert run(api_server, "gpus", agents["cloudwatch-agent-gpu"], "restricted") == ""


def test_what_the_service_accounts_may_ask(api_server: ControlPlane) -> None:
    namespace(api_server, NAMESPACE, "privileged")
    for chart in NAMES:
        text = "\n".join(json.dumps(each) for each in template(chart).values())
        api_server.kubectl("apply", "--server-side", "-f", "-", stdin=text)
        assert may(api_server, chart, "get", "nodes", "--subresource=pods")
        for asked in (
            ("get", "nodes", "--subresource=proxy"),
            ("list", "secrets"),
            ("create", "pods"),
            ("list", "configmaps"),
        ):
            assert not may(api_server, chart, *asked, "--all-namespaces"), asked
    here = f"--namespace={NAMESPACE}"
    assert may(api_server, "cloudwatch-agent", "update", "configmaps/cwagent-clusterleader", here)
    assert not may(api_server, "cloudwatch-agent", "update", "configmaps/cloudwatch-agent", here)
    assert not may(api_server, "fluent-bit", "list", "pods", here)


@pytest.mark.parametrize("chart", NAMES)
def test_the_notes_say_where_it_all_goes(chart: str, api_server: ControlPlane) -> None:
    where = ("--dry-run=server", f"--namespace={NAMESPACE}", f"--kubeconfig={api_server.kubeconfig}")
    namespace(api_server, NAMESPACE, "privileged")
    done = own_charts.helm("install", chart, str(CHARTS / chart), *where)
    notes = done.stdout.partition("NOTES:")[2]
    assert "/aws/containerinsights/demo/" in notes, done.stderr
    assert f"{NAMESPACE}/{chart}" in notes
