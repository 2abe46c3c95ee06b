"""Before a cluster goes: load balancers and volumes, on a real API server. See shop.py for the stand-ins."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import fleets, stand_in_chart
from tests.control_plane import ControlPlane, control_plane
from tests.shop import CASCADE, CLEANUP, Controllers, application_of, names, objects, put, thing
from tests.tiny_root import TinyRoot, tiny_root


@pytest.fixture(scope="module")
def api() -> Iterator[ControlPlane]:
    with control_plane() as found:
        put(found, thing("Namespace", "argocd"), thing("Namespace", "shop"), stand_in_chart.definition("Application"))
        found.kubectl("wait", "--for=condition=Established", "customresourcedefinition/applications.argoproj.io")
        yield found


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TinyRoot]:
    with tiny_root(fleets.workspace(tmp_path_factory.mktemp("teardown") / "checkout")) as found:
        found.add("demo", storage__deletable="true")
        yield found


@pytest.fixture
def shop(api: ControlPlane) -> Iterator[ControlPlane]:
    put(api, *objects())
    yield api
    with Controllers(api.kubectl):
        for kind in ("applications.argoproj.io -n argocd", "pods -n shop", "services -n shop", "ingresses -n shop"):
            api.kubectl("delete", *kind.split(), "--all", "--wait=false")
        for kind in ("persistentvolumeclaims -n shop", "persistentvolumes"):
            api.kubectl("delete", *kind.split(), "--all")
        for kind in ("applications.argoproj.io -n argocd", "services -n shop", "ingresses -n shop"):
            api.kubectl("delete", *kind.split(), "--all")


def teardown(checkout: TinyRoot, api: ControlPlane, *arguments: str) -> subprocess.CompletedProcess[str]:
    return checkout("teardown", "demo", *arguments, FLEET_KUBECONFIG=str(api.kubeconfig))


def test_what_owns_things_in_aws_goes_and_nothing_else(shop: ControlPlane, checkout: TinyRoot) -> None:
    with Controllers(shop.kubectl) as controllers:
        done = teardown(checkout, shop)
    assert done.returncode == 0, done.stderr
    assert names(shop, "services", "-n", "shop") == {"inside"}
    assert names(shop, "ingresses", "-n", "shop") == set()
    assert names(shop, "persistentvolumeclaims", "-n", "shop") == {"kept", "files"}
    assert names(shop, "persistentvolumes") == {"pv-kept", "pv-files"}
    assert names(shop, "pods", "-n", "shop") == {"reader"}
    assert names(shop, "applications.argoproj.io", "-n", "argocd") == {"calm"}
    assert "automated" not in application_of(shop, "calm")["spec"].get("syncPolicy", {})
    assert {each["metadata"]["name"] for each in controllers.cascaded} == {"shop"}
    assert "Argo CD removes shop" in done.stderr


def test_argo_cd_may_delete_what_asks_for_a_confirmation(shop: ControlPlane, checkout: TinyRoot) -> None:
    done = teardown(checkout, shop, "--timeout=0")
    assert done.returncode == 1
    found = application_of(shop, "shop")["metadata"]
    # Argo CD takes an approval that is not older than the deletion.
    assert found["annotations"]["argocd.argoproj.io/deletion-approved"] == found["deletionTimestamp"]
    assert found["finalizers"] == [CASCADE]


def test_what_hangs_is_named_with_what_holds_it(shop: ControlPlane, checkout: TinyRoot) -> None:
    done = teardown(checkout, shop, "--timeout=0")
    assert done.returncode == 1
    for held in (
        f"Service shop/front is still there after 0 seconds, held by {CLEANUP}",
        "Ingress shop/web is still there after 0 seconds, held by ingress.k8s.aws/resources",
        "PersistentVolumeClaim shop/data-db-0 is still there after 0 seconds, held by kubernetes.io/pvc-protection",
    ):
        assert held in done.stderr
    assert "shop/kept" not in done.stderr
    with Controllers(shop.kubectl):
        again = teardown(checkout, shop)
    assert again.returncode == 0, again.stderr


def test_dry_run_changes_nothing(shop: ControlPlane, checkout: TinyRoot) -> None:
    def versions() -> str:
        kinds = "applications.argoproj.io,services,ingresses,persistentvolumeclaims,persistentvolumes,pods"
        return shop.kubectl("get", kinds, "-A", "-o", "jsonpath={.items[*].metadata['uid','resourceVersion']}")

    before = versions()
    done = teardown(checkout, shop, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert versions() == before
    assert "would have Argo CD remove shop\n" in done.stdout
    assert "would delete Service shop/front\n" in done.stdout
    assert "pv-kept" not in done.stdout


def test_a_cluster_without_argo_cd(shop: ControlPlane, checkout: TinyRoot) -> None:
    shop.kubectl(
        "patch",
        "applications.argoproj.io",
        "shop",
        "-n",
        "argocd",
        "--type=merge",
        "-p",
        '{"metadata":{"finalizers":null}}',
    )
    shop.kubectl(
        "patch",
        "applications.argoproj.io",
        "calm",
        "-n",
        "argocd",
        "--type=merge",
        "-p",
        '{"metadata":{"finalizers":null}}',
    )
    shop.kubectl("delete", "customresourcedefinition", "applications.argoproj.io")
    try:
        with Controllers(shop.kubectl, argo_cd=False):
            done = teardown(checkout, shop)
    finally:
        put(shop, stand_in_chart.definition("Application"))
        shop.kubectl("wait", "--for=condition=Established", "customresourcedefinition/applications.argoproj.io")
    assert done.returncode == 0, done.stderr
    assert names(shop, "services", "-n", "shop") == {"inside"}


def test_a_cluster_that_is_gone_is_no_error(checkout: TinyRoot) -> None:
    done = checkout("teardown", "demo")
    assert done.returncode == 0, done.stderr
    assert "there is no EKS cluster demo any more" in done.stderr


def test_an_api_server_that_does_not_answer_stops_the_destroy_and_the_way_out_is_told(
    checkout: TinyRoot, api: ControlPlane, tmp_path: Path
) -> None:
    assert checkout("infrastructure", "apply", "demo", "--yes").returncode == 0
    before = checkout.state("demo")
    closed = tmp_path / "kubeconfig"
    closed.write_text(api.kubeconfig.read_text().replace(api.url, "https://127.0.0.1:1"))
    destroy = ("infrastructure", "destroy", "demo", "--confirm=demo")
    refused = checkout(*destroy, FLEET_KUBECONFIG=str(closed))
    assert refused.returncode == 2
    assert "cannot be reached" in refused.stderr
    assert "SKIP_KUBERNETES=1" in refused.stderr
    assert checkout.state("demo") == before
    done = checkout(*destroy, "--skip-kubernetes", FLEET_KUBECONFIG=str(closed))
    assert done.returncode == 0, done.stderr
    assert checkout.state("demo") == {}


def test_a_destroy_goes_on_when_something_hangs(shop: ControlPlane, checkout: TinyRoot) -> None:
    assert checkout("infrastructure", "apply", "demo", "--yes").returncode == 0
    done = checkout(
        "infrastructure", "destroy", "demo", "--confirm=demo", "--timeout=0", FLEET_KUBECONFIG=str(shop.kubeconfig)
    )
    assert done.returncode == 0, done.stderr
    assert "Service shop/front is still there" in done.stderr
    assert checkout.state("demo") == {}
