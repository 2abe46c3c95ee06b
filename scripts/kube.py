"""kubectl on a cluster's API server: signed in through EKS, or by a kubeconfig that was given."""

from __future__ import annotations

import base64
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from generators.errors import FleetError, wrong
from generators.tools import binaries
from generators.tools.kubectl import Kubectl
from scripts.eks_token import API
from scripts.target import Target, retries

if TYPE_CHECKING:
    from types_boto3_eks.type_defs import ClusterTypeDef

KUBECONFIG = "FLEET_KUBECONFIG"
"""Environment variable that names a kubeconfig."""
Kubeconfig = Annotated[
    Path | None,
    typer.Option(
        "--kubeconfig",
        envvar=KUBECONFIG,
        help="Use this kubeconfig instead of EKS's endpoint; for example one that goes through a tunnel.",
    ),
]
ROOT_CA = "kube-root-ca.crt"
REACH_SECONDS = 10
"""How long the first request may take, the sign-in included."""
REFUSED = ("Unauthorized", "Forbidden", "must be logged in", "getting credentials")
"""Words of kubectl when there is an API server, but not for these credentials."""


@contextmanager
def connect(target: Target, kubeconfig: Path | None = None) -> Iterator[Kubectl]:
    """kubectl on the cluster, tried once. Without `kubeconfig`, one is made from EKS and removed afterwards.

    Raises FleetError where kubectl is missing, and first of all where the API server cannot be reached.
    """
    program = program_for("kubectl")
    if kubeconfig is not None:
        if not kubeconfig.is_file():
            raise wrong(str(kubeconfig), "is no file", key="--kubeconfig")
        kubectl = Kubectl(program, kubeconfig)
        _reach(kubectl, f"the API server in {kubeconfig}", "is the tunnel up?")
        yield kubectl
        return
    found = _describe(target)
    with tempfile.TemporaryDirectory(prefix="fleet-kube-") as folder:
        kubectl = Kubectl(program, _write(Path(folder, "config"), target, found))
        _reach(kubectl, f"the API server of {target.name}, {found['endpoint']},", _ways(target, found))
        yield kubectl


def same_cluster(kubectl: Kubectl, target: Target) -> None:
    """Raises FleetError where the API server is not the target's: a kubeconfig that was given may lead anywhere.

    Told by the CA that Kubernetes publishes in every namespace, and EKS in its description of the cluster.
    """
    ours = base64.b64decode(_describe(target)["certificateAuthority"]["data"]).strip()
    found = kubectl("get", "configmap", ROOT_CA, "-n", "kube-system", "--ignore-not-found", "-o", "json")
    theirs = json.loads(found or "{}").get("data", {}).get("ca.crt", "").strip()
    if theirs.encode() != ours:
        what = f"its API server has another CA than EKS's cluster {target.name}"
        raise wrong(str(kubectl.kubeconfig), what, hint="check the kubeconfig's context and the tunnel")


def program_for(name: str) -> Path:
    """The program `name`. Raises FleetError with the way to get it."""
    try:
        return binaries.require(name)
    except binaries.ToolMissing as missing:
        raise wrong(name, "is not installed", hint=missing.hint) from None


def _describe(target: Target) -> ClusterTypeDef:
    found = target.session.client("eks", config=retries()).describe_cluster(name=target.name)["cluster"]
    if not found.get("endpoint") or "data" not in found.get("certificateAuthority", {}):
        raise wrong(f"EKS cluster {target.name}", f"has no endpoint yet, it is {found.get('status')}")
    return found


def _write(file: Path, target: Target, found: ClusterTypeDef) -> Path:
    """A kubeconfig that holds no secret: its user is whoever `scripts.eks_token` signs in."""
    name, root = target.name, str(target.workspace.root)
    code = str(Path(__file__).parents[1])
    plugin = {
        "apiVersion": API,
        "command": sys.executable,
        "args": ["-m", "scripts.eks_token", name],
        "env": [{"name": "PYTHONPATH", "value": code}, {"name": "FLEET_ROOT", "value": root}],
        "interactiveMode": "Never",
    }
    server = {"server": found["endpoint"], "certificate-authority-data": found["certificateAuthority"]["data"]}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": server}],
        "users": [{"name": name, "user": {"exec": plugin}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(config, out)
    return file


def _reach(kubectl: Kubectl, server: str, hint: str) -> None:
    """One request, so that nothing is begun that cannot go on."""
    try:
        kubectl("get", "--raw=/readyz", f"--request-timeout={REACH_SECONDS}s")
    except FleetError as error:
        said = error.problems[0].message.splitlines()[-1]
        if any(word in said for word in REFUSED):
            signed_in = "the role that you use must be in access.admins of the cluster file"
            raise wrong("kubectl", f"{server} refuses these credentials: {said}", hint=signed_in) from None
        raise wrong("kubectl", f"{server} cannot be reached: {said}", hint=hint) from None


def _ways(target: Target, found: ClusterTypeDef) -> str:
    """What can be done about an endpoint that is not reached."""
    network = found.get("resourcesVpcConfig", {})
    if network.get("endpointPublicAccess"):
        blocks = ", ".join(network.get("publicAccessCidrs", []))
        why = f"it is open to {blocks}, is your address among these?"
    else:
        why = "its endpoint is private: it answers only inside the cluster's VPC and what is joined to it"
    return (
        f"{why} Either run this where the endpoint answers; or open a tunnel and say --kubeconfig=FILE or "
        f"FLEET_KUBECONFIG=FILE; or set access.api_cidrs in clusters/{target.name}/cluster.yaml, render and apply"
    )
