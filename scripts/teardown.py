"""Removes what a cluster's own controllers made in AWS: load balancers and volumes. `make destroy` does this first.

Argo CD is told to stop, then to remove the apps whose objects own such things; what remains is deleted by name. After
the time limit it goes on: the cluster itself goes next, and what is left in AWS is listed at the end of the destroy.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from generators.cli import console
from generators.errors import FleetError
from generators.model.catalog import ROOT_APPLICATION
from generators.renderers.argocd import FINALIZER, NAMESPACE
from generators.tools.kubectl import Kubectl
from scripts import owners
from scripts.command import Cluster, DryRun, guarded, new_app
from scripts.kube import Kubeconfig, connect, same_cluster
from scripts.owners import Owner
from scripts.target import Target, load, retries

APPLICATIONS = "applications.argoproj.io"
APPROVED = "argocd.argoproj.io/deletion-approved"
TIMEOUT = 600
"""Seconds. A load balancer goes within some two minutes, a volume once its pod is gone."""
POLL_SECONDS = 5
Timeout = Annotated[
    int, typer.Option(min=0, metavar="SECONDS", help="How long to wait for Kubernetes to remove what it made in AWS.")
]
app = new_app("Remove what a cluster's own controllers made in AWS.")


@app.command()
@guarded
def main(cluster: Cluster, timeout: Timeout = TIMEOUT, kubeconfig: Kubeconfig = None, dry_run: DryRun = False) -> None:
    """Stop Argo CD and remove load balancers and volumes of CLUSTER; exit 1 where something stays."""
    if run(load(cluster), kubeconfig, timeout, dry_run=dry_run):
        raise typer.Exit(console.FOUND)


def run(target: Target, kubeconfig: Kubeconfig, timeout: int, *, dry_run: bool) -> list[Owner]:
    """What could not be removed in time. Raises FleetError where the API server cannot be reached, or is another's."""
    if not _exists(target):
        console.say(f"there is no EKS cluster {target.name} any more: nothing of Kubernetes to remove")
        return []
    if not _has_nodes(target):
        console.say(f"{target.name} has no node group any more, so no controller runs that could remove what it made")
        return []
    with connect(target, kubeconfig) as kubectl:
        if kubeconfig is not None:
            same_cluster(kubectl, target)
        return Teardown(kubectl, timeout, dry_run=dry_run).run()


def _exists(target: Target) -> bool:
    eks = target.session.client("eks", config=retries())
    try:
        return eks.describe_cluster(name=target.name)["cluster"]["status"] != "DELETING"
    except eks.exceptions.ResourceNotFoundException:
        return False


def _has_nodes(target: Target) -> bool:
    """A destroy that stopped after them, and perhaps after the administrators' access, must be able to go on."""
    eks = target.session.client("eks", config=retries())
    return bool(eks.list_nodegroups(clusterName=target.name)["nodegroups"])


@dataclass(frozen=True)
class Teardown:
    """The steps, on one cluster."""

    kubectl: Kubectl
    timeout: int
    dry_run: bool

    def run(self) -> list[Owner]:
        """All steps; what is left."""
        found, apps = owners.find(self.kubectl), self._applications()
        owning = [each for each in apps if _name(each) != ROOT_APPLICATION and owners.owned_by(each, found)]
        if self.dry_run:
            self._tell(found, apps, owning)
            return []
        until = time.monotonic() + self.timeout
        self._stop(apps)
        if owning:
            self._cascade(owning)
            # Half of the time is Argo CD's, in its order; the rest is for what it does not manage, or cannot remove.
            self._wait(until - self.timeout / 2, lambda: bool(self._named(owning)))
        return self._delete(until)

    def _applications(self) -> list[dict[str, Any]]:
        if f"{APPLICATIONS}\n" not in self.kubectl("get", "customresourcedefinitions", "-o", "name").replace(
            "customresourcedefinition.apiextensions.k8s.io/", ""
        ):
            return []
        return owners.listed(self.kubectl, APPLICATIONS, "-n", NAMESPACE)

    def _named(self, wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
        names = {_name(each) for each in wanted}
        return [each for each in self._applications() if _name(each) in names]

    def _stop(self, apps: list[dict[str, Any]]) -> None:
        """The root first, or it would set the others back. It and they keep what they made."""
        off = json.dumps({"spec": {"syncPolicy": {"automated": None}}})
        for each in sorted(apps, key=lambda app: _name(app) != ROOT_APPLICATION):
            if _name(each) == ROOT_APPLICATION:
                self._patch(ROOT_APPLICATION, json.dumps({"metadata": {"finalizers": None}}))
                self.kubectl(
                    "delete", APPLICATIONS, ROOT_APPLICATION, "-n", NAMESPACE, "--ignore-not-found", "--wait=false"
                )
            elif "automated" in each["spec"].get("syncPolicy", {}):
                self._patch(_name(each), off)
        if apps:
            console.say(f"Argo CD syncs nothing any more, of {console.count(len(apps), 'app')}")

    def _cascade(self, owning: list[dict[str, Any]]) -> None:
        """Deletes the apps with their objects, also those that ask for a confirmation: this is it."""
        for each in owning:
            name = _name(each)
            self._patch(name, json.dumps({"metadata": {"finalizers": [FINALIZER]}}))
            self.kubectl("delete", APPLICATIONS, name, "-n", NAMESPACE, "--ignore-not-found", "--wait=false")
            console.say(f"Argo CD removes {name}, which owns load balancers or volumes")
        for each in self._named(owning):
            if deleted := each["metadata"].get("deletionTimestamp"):
                self._patch(_name(each), json.dumps({"metadata": {"annotations": {APPROVED: deleted}}}))

    def _patch(self, name: str, patch: str) -> None:
        """An app that is gone meanwhile is none to be patched."""
        try:
            self.kubectl("patch", APPLICATIONS, name, "-n", NAMESPACE, "--type=merge", "-p", patch)
        except FleetError as error:
            if "NotFound" not in str(error):
                raise

    def _delete(self, until: float) -> list[Owner]:
        """Deletes what owns things in AWS, again and again: controllers may make more. What is left in the end."""
        while left := owners.find(self.kubectl):
            for each in left:
                if not each.deleting and each.removable:
                    console.say(f"deleting {each}")
                    # One that went meanwhile, or that a webhook refuses, is seen in the next round.
                    with suppress(FleetError):
                        self.kubectl("delete", *each.arguments, "--ignore-not-found", "--wait=false")
            owners.free_volumes(self.kubectl, left)
            if time.monotonic() >= until:
                break
            time.sleep(min(POLL_SECONDS, max(0.0, until - time.monotonic())))
        left = owners.find(self.kubectl)
        for each in left:
            held = f"held by {', '.join(each.finalizers)}" if each.finalizers else "not deleted"
            console.warn(f"{each} is still there after {self.timeout} seconds, {held}: what it made in AWS may stay")
        return left

    def _wait(self, until: float, busy: Any) -> None:
        while busy() and time.monotonic() < until:
            time.sleep(min(POLL_SECONDS, max(0.0, until - time.monotonic())))

    def _tell(self, found: list[Owner], apps: list[dict[str, Any]], owning: list[dict[str, Any]]) -> None:
        for each in apps:
            console.data(f"would stop Argo CD's sync of {_name(each)}")
        for each in owning:
            console.data(f"would have Argo CD remove {_name(each)}")
        for owner in found:
            console.data(f"would delete {owner}")


def _name(thing: dict[str, Any]) -> str:
    return str(thing["metadata"]["name"])


if __name__ == "__main__":
    app()
