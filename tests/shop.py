"""Objects on a real API server that own load balancers and volumes, and beside them what does not.

There are no controllers here: what Argo CD, the load balancers', the volumes' and the claims' controllers do once an
object is to go, `Controllers` does, and nothing else.
"""

from __future__ import annotations

import json
from threading import Event, Thread
from typing import Any

from generators.errors import FleetError
from generators.tools.kubectl import Kubectl
from scripts import owners
from tests.control_plane import ControlPlane

CLEANUP = "service.kubernetes.io/load-balancer-cleanup"
CASCADE = "resources-finalizer.argocd.argoproj.io"
Thing = dict[str, Any]


def thing(kind: str, name: str, namespace: str = "", api: str = "v1", **rest: Any) -> Thing:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {}) | rest.pop("metadata", {})
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **rest}


def application(name: str, resources: list[Thing], **metadata: Any) -> Thing:
    spec = {
        "project": "fleet",
        "source": {"repoURL": "https://example.com/fleet.git"},
        "destination": {"server": "https://kubernetes.default.svc"},
        "syncPolicy": {"automated": {"prune": True, "selfHeal": True}},
    }
    return thing(
        "Application",
        name,
        "argocd",
        "argoproj.io/v1alpha1",
        spec=spec,
        status={"resources": resources},
        metadata=metadata,
    )


def service(name: str, kind: str, *finalizers: str) -> Thing:
    return thing(
        "Service", name, "shop", spec={"type": kind, "ports": [{"port": 80}]}, metadata={"finalizers": [*finalizers]}
    )


def volume(name: str, claim: str, policy: str = "Delete", driver: str = owners.EBS) -> list[Thing]:
    """A volume and the claim that has it."""
    common = {"accessModes": ["ReadWriteOnce"], "storageClassName": "gp3"}
    spec = common | {
        "capacity": {"storage": "1Gi"},
        "csi": {"driver": driver, "volumeHandle": f"vol-{name}"},
        "persistentVolumeReclaimPolicy": policy,
        "claimRef": {"namespace": "shop", "name": claim},
    }
    claimed = common | {"resources": {"requests": {"storage": "1Gi"}}, "volumeName": name}
    return [thing("PersistentVolume", name, spec=spec), thing("PersistentVolumeClaim", claim, "shop", spec=claimed)]


def pod(name: str, claim: str) -> Thing:
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]
    return thing("Pod", name, "shop", spec={"containers": [{"name": "one", "image": "one"}], "volumes": volumes})


def ingress() -> Thing:
    backend = {"service": {"name": "front", "port": {"number": 80}}}
    return thing(
        "Ingress",
        "web",
        "shop",
        "networking.k8s.io/v1",
        spec={"defaultBackend": backend},
        metadata={"finalizers": ["ingress.k8s.aws/resources"]},
    )


def put(api: ControlPlane, *things: Thing) -> None:
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": things})
    api.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=text)


def names(api: ControlPlane, *what: str) -> set[str]:
    found = api.kubectl("get", *what, "-o", "name").split()
    return {each.partition("/")[2] for each in found}


class Controllers:
    """Finalizers fall once what they stand for is done; an Application's, once its objects are gone."""

    def __init__(self, kubectl: Kubectl, *, argo_cd: bool = True) -> None:
        self.kubectl, self.argo_cd, self.over = kubectl, argo_cd, Event()
        self.cascaded: list[Thing] = []
        self.thread = Thread(target=self._work, daemon=True)

    def __enter__(self) -> Controllers:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    def _work(self) -> None:
        while not self.over.wait(0.1):
            for kind in ("services", "ingresses", "persistentvolumeclaims"):
                for each in self._going(kind):
                    if kind != "persistentvolumeclaims" or not self._used(each):
                        self._let_go(kind, each)
            claims = {
                each["spec"].get("volumeName") for each in owners.listed(self.kubectl, "persistentvolumeclaims", "-A")
            }
            for each in owners.listed(self.kubectl, "persistentvolumes"):
                if each["metadata"]["name"] not in claims:
                    self._try(
                        "delete", "persistentvolume", each["metadata"]["name"], "--ignore-not-found", "--wait=false"
                    )
                    self._let_go("persistentvolumes", each)
            for each in self._going("applications.argoproj.io") if self.argo_cd else ():
                self.cascaded.append(each)
                for owned in each["status"]["resources"]:
                    what = (owned["kind"].lower(), owned["name"], "-n", owned["namespace"])
                    self._try("delete", *what, "--ignore-not-found", "--wait=false")
                self._let_go("applications.argoproj.io", each)

    def _going(self, kind: str) -> list[Thing]:
        return [each for each in owners.listed(self.kubectl, kind, "-A") if "deletionTimestamp" in each["metadata"]]

    def _used(self, claim: Thing) -> bool:
        return claim["metadata"]["name"] in {
            each.get("persistentVolumeClaim", {}).get("claimName")
            for pod in owners.listed(self.kubectl, "pods", "-n", "shop")
            for each in pod["spec"].get("volumes", ())
        }

    def _let_go(self, kind: str, each: Thing) -> None:
        where = ["-n", each["metadata"]["namespace"]] if "namespace" in each["metadata"] else []
        patch = json.dumps({"metadata": {"finalizers": None}})
        self._try("patch", kind, each["metadata"]["name"], *where, "--type=merge", "-p", patch)

    def _try(self, *arguments: str) -> None:
        try:
            self.kubectl(*arguments)
        except FleetError as error:
            if "not found" not in str(error):
                raise


def objects() -> list[Thing]:
    """An app with a load balancer, an Ingress and a volume of a StatefulSet; beside it what must not be touched."""
    owned = [
        {"version": "v1", "kind": "Service", "namespace": "shop", "name": "front"},
        {"group": "apps", "version": "v1", "kind": "StatefulSet", "namespace": "shop", "name": "db"},
    ]
    calm = [{"version": "v1", "kind": "Service", "namespace": "shop", "name": "inside"}]
    return [
        application("root", []),
        application("shop", owned, finalizers=[CASCADE]),
        application("calm", calm, finalizers=[CASCADE]),
        service("front", "LoadBalancer", CLEANUP),
        service("inside", "ClusterIP"),
        ingress(),
        *volume("pv-db", "data-db-0"),
        *volume("pv-note", "notebook"),
        *volume("pv-kept", "kept", policy="Retain"),
        *volume("pv-files", "files", driver="efs.csi.aws.com"),
        pod("db-0", "data-db-0"),
        pod("notebook-0", "notebook"),
        pod("reader", "files"),
    ]


def application_of(api: ControlPlane, name: str) -> Thing:
    found: Thing = json.loads(api.kubectl("get", "applications.argoproj.io", name, "-n", "argocd", "-o", "json"))
    return found
