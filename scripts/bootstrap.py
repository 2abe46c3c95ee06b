"""Argo CD onto a new cluster, once: `make bootstrap NAME=`, which Terraform calls at the end of an apply.

Every step looks first at what is there: run again after a stop or an error, it goes on from where it was. When Argo CD
keeps itself, this leaves it alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from generators.cli import console
from generators.errors import FleetError
from generators.model.catalog import ROOT_APPLICATION
from generators.tools.kubectl import Kubectl
from scripts import argocd_release, git_credential, readiness
from scripts.argocd_release import APPLICATION, Release
from scripts.command import Cluster, DryRun, guarded, new_app
from scripts.helm import Helm
from scripts.kube import Kubeconfig, connect, same_cluster
from scripts.readiness import one
from scripts.target import Target, load

APPLICATIONS, PROJECTS = "applications.argoproj.io", "appprojects.argoproj.io"
MANAGER = "fleet-bootstrap"
"""Owner of the fields that this writes."""
TIMEOUT = 900
"""Seconds. Nodes take some three minutes to join, Argo CD's images one more."""
Chart = Annotated[
    Path | None,
    typer.Option(metavar="PATH", exists=True, help="A local copy of the chart: its repository is not asked."),
]
Timeout = Annotated[
    int, typer.Option(min=0, metavar="SECONDS", help="How long to wait for nodes, DNS, Helm and Argo CD, each.")
]
app = new_app("Install Argo CD on a new cluster and give it the root Application.")


@app.command()
@guarded
def main(
    cluster: Cluster,
    chart: Chart = None,
    timeout: Timeout = TIMEOUT,
    kubeconfig: Kubeconfig = None,
    dry_run: DryRun = False,
) -> None:
    """Install Argo CD on CLUSTER when its nodes and DNS are ready, and let it sync what git says."""
    target = load(cluster)
    release = argocd_release.read(target)
    try:
        with connect(target, kubeconfig) as kubectl:
            console.say(f"{cluster}: the API server answers")
            if kubeconfig:
                same_cluster(kubectl, target)
            Bootstrap(target, release, kubectl, Helm.on(kubectl, chart), timeout, dry_run).run()
    except KeyboardInterrupt:
        console.say("stopped; run it again: it goes on from here")
        raise typer.Exit(console.INTERRUPTED) from None


@dataclass(frozen=True)
class Bootstrap:
    """The steps, on one cluster."""

    target: Target
    release: Release
    kubectl: Kubectl
    helm: Helm
    timeout: int
    dry_run: bool

    def run(self) -> None:
        """All steps, each said."""
        # Before any waiting: it may be wrong.
        secret = git_credential.secret(self.target, self.release.namespace)
        self._ready()
        self._namespace()
        if secret:
            self._credential(secret)
        self._argo_cd()
        self._root()
        if self.dry_run:
            console.say("nothing was changed")
            return
        readiness.wait("git", self._unread, self.timeout)
        console.say(
            f"Argo CD syncs {self.target.name} now: https://{self.release.domain} (see docs/how-to/bootstrap.md)"
        )

    def _ready(self) -> None:
        """Pods that come before nodes and DNS fail in ways that tell nothing."""
        wanted = readiness.system_nodes(self.target)
        self._await("system nodes", lambda: readiness.nodes(self.kubectl, wanted))
        self._await("CoreDNS", lambda: readiness.dns(self.kubectl))

    def _await(self, what: str, look: Callable[[], str]) -> None:
        if self.dry_run:
            console.say(f"{what}: {look() or 'ready'}")
        else:
            readiness.wait(what, look, self.timeout, self._dns_pods)

    def _dns_pods(self) -> list[str]:
        return readiness.pods(self.kubectl, "kube-system", "-l", readiness.DNS_PODS)

    def _namespace(self) -> None:
        """Its labels are those that the Application of Argo CD gives it later."""
        metadata = {"name": self.release.namespace, "labels": self.release.labels}
        self._apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})

    def _credential(self, secret: dict[str, Any]) -> None:
        """Once external-secrets keeps the Secret, nobody else writes it."""
        metadata = secret["metadata"]
        found = one(self.kubectl, "secret", metadata["name"], "-n", metadata["namespace"])
        owners = [each["kind"] for each in found.get("metadata", {}).get("ownerReferences", [])]
        if "ExternalSecret" in owners:
            console.say(f"secret/{metadata['name']}: kept by external-secrets, left alone")
        else:
            self._apply(secret)

    def _argo_cd(self) -> None:
        release, where = self.release, f"{self.release.chart} {self.release.version}"
        if self._keeps_itself():
            console.say(f"{where}: Argo CD keeps itself, left alone")
            return
        if self.dry_run:
            self.helm.install(release, self.timeout, dry_run=True)
            console.say(f"{where}: would be installed with Helm (server dry run)")
            return
        if self.helm.take_up(release):
            console.say(f"{where}: an install was cut off and is taken up again")
        console.say(f"{where}: installing with Helm, up to {self.timeout} seconds")
        try:
            self.helm.install(release, self.timeout, dry_run=False)
        except FleetError:
            for line in readiness.pods(self.kubectl, release.namespace):
                console.say(line)
            raise
        console.say(f"{where}: installed")

    def _keeps_itself(self) -> bool:
        """Its Application is there, and the controller that syncs it runs. Where it does not run, Helm mends it."""
        if not self._knows_applications() or not self._application(APPLICATION):
            return False
        labels = f"app.kubernetes.io/component=application-controller,app.kubernetes.io/instance={self.release.name}"
        sets = readiness.listed(self.kubectl, "statefulsets", "-n", self.release.namespace, "-l", labels)
        return any(each.get("status", {}).get("readyReplicas") for each in sets)

    def _knows_applications(self) -> bool:
        return bool(one(self.kubectl, "customresourcedefinition", APPLICATIONS))

    def _application(self, name: str) -> dict[str, Any]:
        return one(self.kubectl, APPLICATIONS, name, "-n", self.release.namespace)

    def _root(self) -> None:
        """Projects, then the root. Where the root is as in git, Argo CD has the projects from there too."""
        files: list[str] = self.target.facts["argocd"]["applied_first"]
        if self.dry_run and not self._knows_applications():
            console.say("\n".join(f"{file}: would be applied" for file in files))
            return
        if not self.dry_run:
            crds = [f"customresourcedefinition/{name}" for name in (APPLICATIONS, PROJECTS)]
            self.kubectl("wait", "--for=condition=Established", "--timeout=60s", *crds)
        documents = [argocd_release.document(self.target, file) for file in files]
        if self._as_in_git(documents[-1]):
            console.say(f"application/{ROOT_APPLICATION}: as in git, left alone")
            return
        for each in documents:
            self._apply(each)

    def _as_in_git(self, root: dict[str, Any]) -> bool:
        found = self._application(ROOT_APPLICATION)
        annotations: dict[str, str] = found.get("metadata", {}).get("annotations", {})
        wanted: dict[str, str] = root["metadata"]["annotations"]
        return bool(found) and found["spec"] == root["spec"] and wanted.items() <= annotations.items()

    def _unread(self) -> str:
        """What keeps Argo CD from comparing the cluster with git; a credential that is refused shows here."""
        status = self._application(ROOT_APPLICATION).get("status", {})
        errors = [each["message"] for each in status.get("conditions", []) if each["type"].endswith("Error")]
        if errors:
            return "; ".join(errors)
        read = status.get("sync", {}).get("status", "Unknown") != "Unknown"
        return "" if read else f"Argo CD has not yet read {self.target.facts['argocd']['repository']}"

    def _apply(self, document: dict[str, Any]) -> None:
        """Server-side, as the API server would have it; kubectl's words name the object, and no more of it."""
        how = ["--server-side", "--force-conflicts", f"--field-manager={MANAGER}"]
        dry = ["--dry-run=server"] if self.dry_run and self._has_home(document) else []
        if self.dry_run and not dry:
            kind, name = document["kind"].lower(), document["metadata"]["name"]
            console.say(f"{kind}/{name}: would be applied, with its namespace")
            return
        console.say(self.kubectl("apply", *how, *dry, "-f", "-", stdin=json.dumps(document)).strip())

    def _has_home(self, document: dict[str, Any]) -> bool:
        namespace = document["metadata"].get("namespace")
        return not namespace or bool(one(self.kubectl, "namespace", namespace))


if __name__ == "__main__":
    app()
