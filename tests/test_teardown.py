"""Before a cluster goes: load balancers and volumes, on a real API server. See shop.py for the stand-ins."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import fleets, stand_in_chart
from tests.bootstrap_scene import eks_at
from tests.control_plane import ControlPlane, control_plane
from tests.shop import CASCADE, CLEANUP, Controllers, application_of, names, objects, put, thing
from tests.tiny_root import TinyRoot, tiny_root


@pytest.fixture(scope="module")
def api() -> Iterator[ControlPlane]:
    with control_plane() as found:
        put(found, thing("Namespace", "argocd"), thing("Namespace", "shop"), stand_in_chart.definition("Application"))
        found.kubectl("wait", "--for=condition=Established", "customresourcedefinition/applications.argoproj.io")
        # As kube-controller-manager publishes it.
        put(found, thing("ConfigMap", "kube-root-ca.crt", "kube-system", data={"ca.crt": found.ca.decode()}))
        yield found


@pytest.fixture(scope="module")
def there(api: ControlPlane) -> Iterator[dict[str, str]]:
    """Environment of a script for which the API server is EKS's, reached by a kubeconfig."""
    with eks_at(api.url, api.ca) as url:
        yield {"AWS_ENDPOINT_URL_EKS": url, "FLEET_KUBECONFIG": str(api.kubeconfig)}


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


def test_what_owns_things_in_aws_goes_and_nothing_else(
    shop: ControlPlane, checkout: TinyRoot, there: dict[str, str]
) -> None:
    with Controllers(shop.kubectl) as controllers:
        done = checkout("teardown", "demo", **there)
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


def test_argo_cd_may_delete_what_asks_for_a_confirmation(
    shop: ControlPlane, checkout: TinyRoot, there: dict[str, str]
) -> None:
    done = checkout("teardown", "demo", "--timeout=0", **there)
    assert done.returncode == 1
    found = application_of(shop, "shop")["metadata"]
    # Argo CD takes an approval that is not older than the deletion.
    assert found["annotations"]["argocd.argoproj.io/deletion-approved"] == found["deletionTimestamp"]
    assert found["finalizers"] == [CASCADE]


def test_what_hangs_is_named_with_what_holds_it(shop: ControlPlane, checkout: TinyRoot, there: dict[str, str]) -> None:
    done = checkout("teardown", "demo", "--timeout=0", **there)
    assert done.returncode == 1
    for held in (
        f"Service shop/front is still there after 0 seconds, held by {CLEANUP}",
        "Ingress shop/web is still there after 0 seconds, held by ingress.k8s.aws/resources",
        "PersistentVolumeClaim shop/data-db-0 is still there after 0 seconds, held by kubernetes.io/pvc-protection",
    ):
        assert held in done.stderr
    assert "shop/kept" not in done.stderr
    with Controllers(shop.kubectl):
        again = checkout("teardown", "demo", **there)
    assert again.returncode == 0, again.stderr


def test_dry_run_changes_nothing(shop: ControlPlane, checkout: TinyRoot, there: dict[str, str]) -> None:
    def versions() -> str:
        kinds = "applications.argoproj.io,services,ingresses,persistentvolumeclaims,persistentvolumes,pods"
        return shop.kubectl("get", kinds, "-A", "-o", "jsonpath={.items[*].metadata['uid','resourceVersion']}")

    before = versions()
    done = checkout("teardown", "demo", "--dry-run", **there)
    assert done.returncode == 0, done.stderr
    assert versions() == before
    assert "would have Argo CD remove shop\n" in done.stdout
    assert "would delete Service shop/front\n" in done.stdout
    assert "pv-kept" not in done.stdout


def test_a_cluster_without_argo_cd(shop: ControlPlane, checkout: TinyRoot, there: dict[str, str]) -> None:
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
            done = checkout("teardown", "demo", **there)
    finally:
        put(shop, stand_in_chart.definition("Application"))
        shop.kubectl("wait", "--for=condition=Established", "customresourcedefinition/applications.argoproj.io")
    assert done.returncode == 0, done.stderr
    assert names(shop, "services", "-n", "shop") == {"inside"}


def test_a_cluster_that_is_gone_is_no_error(checkout: TinyRoot) -> None:
    done = checkout("teardown", "demo", FLEET_KUBECONFIG=os.devnull)
    assert done.returncode == 0, done.stderr
    assert "there is no EKS cluster demo any more" in done.stderr


def test_a_cluster_whose_nodes_are_gone_is_not_waited_for(checkout: TinyRoot, api: ControlPlane) -> None:
    with eks_at("https://127.0.0.1:1", api.ca, ()) as url:
        done = checkout("teardown", "demo", AWS_ENDPOINT_URL_EKS=url)
    assert done.returncode == 0, done.stderr
    assert "demo has no node group any more" in done.stderr


def test_a_kubeconfig_of_another_cluster_is_refused(
    shop: ControlPlane, checkout: TinyRoot, there: dict[str, str]
) -> None:
    before = shop.kubectl("get", "applications.argoproj.io,services,pods", "-A", "-o", "name")
    with eks_at(shop.url, b"another CA") as url:
        refused = checkout("teardown", "demo", **there | {"AWS_ENDPOINT_URL_EKS": url})
    assert refused.returncode == 2
    assert "its API server has another CA than EKS's cluster demo" in refused.stderr
    assert shop.kubectl("get", "applications.argoproj.io,services,pods", "-A", "-o", "name") == before


def test_an_api_server_that_does_not_answer_stops_the_destroy_and_the_way_out_is_told(
    checkout: TinyRoot, api: ControlPlane, there: dict[str, str], tmp_path: Path
) -> None:
    assert checkout("infrastructure", "apply", "demo", "--yes").returncode == 0
    before = checkout.state("demo")
    closed = tmp_path / "kubeconfig"
    closed.write_text(api.kubeconfig.read_text().replace(api.url, "https://127.0.0.1:1"))
    destroy = ("infrastructure", "destroy", "demo", "--confirm=demo")
    refused = checkout(*destroy, **there | {"FLEET_KUBECONFIG": str(closed)})
    assert refused.returncode == 2
    assert "cannot be reached" in refused.stderr
    assert "SKIP_KUBERNETES=1" in refused.stderr
    assert checkout.state("demo") == before
    done = checkout(*destroy, "--skip-kubernetes", **there | {"FLEET_KUBECONFIG": str(closed)})
    assert done.returncode == 0, done.stderr
    assert checkout.state("demo") == {}


@pytest.mark.usefixtures("shop")
def test_a_destroy_goes_on_when_something_hangs(checkout: TinyRoot, there: dict[str, str]) -> None:
    assert checkout("infrastructure", "apply", "demo", "--yes").returncode == 0
    done = checkout("infrastructure", "destroy", "demo", "--confirm=demo", "--timeout=0", **there)
    assert done.returncode == 0, done.stderr
    assert "Service shop/front is still there" in done.stderr
    assert checkout.state("demo") == {}
