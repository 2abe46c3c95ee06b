"""This folder's tests turn red: one nodeSelector, one role's name and one rule broken in the lab's repository."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from generators.lab.lab import Lab, wait_synced
from tests.e2e import trust
from tests.e2e.applications import application
from tests.e2e.clusters import test_identity, test_placement, test_rbac
from tests.e2e.programs import SYNCED_WITHIN

BREAKS = {
    "clusters/{}/generated/overlays/coredns/deployment.yaml": (
        "inference-fleet/role: system",
        "inference-fleet/role: worker",
    ),
    "clusters/{}/generated/overlays/kubeflow-pipelines/serviceaccount-ml-pipeline.yaml": (
        "-ml-pipeline\n",
        "-ml-pipelines\n",
    ),
    "apps/coredns/base/cluster-role.yaml": ("[endpointslices]", "[endpoints]"),
}
"""By file: what it says, and what it says while it is broken."""

# It is the tests that are looked at here, and one cluster is enough for that.
pytestmark = pytest.mark.parametrize("synced", ["dev-tokyo"], indirect=True)


@pytest.fixture(scope="module")
def broken(synced: Lab) -> Iterator[Lab]:
    """The lab with all of them, synced; whole again afterwards."""
    files = {
        synced.repository.folder / path.format(synced.inputs.cluster.name): words for path, words in BREAKS.items()
    }
    whole = {file: file.read_text() for file in files}
    for file, (good, bad) in files.items():
        assert whole[file].count(good) == 1, file
        file.write_text(whole[file].replace(good, bad))
    commit = synced.repository.commit("three breaks")
    for app in ("coredns", "kubeflow-pipelines"):
        synced.processes.until(app, lambda: _not_at(synced, app, commit), SYNCED_WITHIN, 0.5)  # noqa: B023 (called in this turn)
    wait_synced(synced, SYNCED_WITHIN)
    yield synced
    for file, text in whole.items():
        file.write_text(text)
    commit = synced.repository.commit("as it was")
    for app in ("coredns", "kubeflow-pipelines"):
        synced.processes.until(app, lambda: _not_at(synced, app, commit), SYNCED_WITHIN, 0.5)  # noqa: B023 (called in this turn)
    wait_synced(synced, SYNCED_WITHIN)


def _not_at(lab: Lab, app: str, commit: str) -> str:
    sync = application(lab, app)["status"]["sync"]
    return "" if (sync["status"], sync.get("revision")) == ("Synced", commit) else f"{sync['status']}"


def test_a_node_selector(broken: Lab) -> None:
    with pytest.raises(AssertionError, match=r"kube-system/coredns-[^']+': 'worker'"):
        test_placement.test_controllers_are_on_system_nodes(broken)


def test_a_role_name(broken: Lab) -> None:
    policies = trust.planned(broken.inputs, broken.api.issuer)
    with pytest.raises(AssertionError, match=r"\('kubeflow', 'ml-pipeline'\): '[^']+-kubeflow-ml-pipelines'"):
        test_identity.test_each_account_names_a_role_that_takes_it(broken, policies)


def test_a_rule(broken: Lab) -> None:
    with pytest.raises(AssertionError, match=r"'kube-system:coredns', 'list', 'discovery.k8s.io', 'endpointslices'"):
        test_rbac.test_what_programs_need_is_given_and_what_they_do_not_is_denied(broken)
