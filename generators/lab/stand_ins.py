"""What others count on and is not in the lab: the kinds of external-secrets, and the Secrets that it would write.

Their values are all `stand-in`: nothing here reads AWS.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from generators.lab.argocd import STARTED_WITHIN, not_served
from generators.lab.processes import Processes
from generators.tools import crds
from generators.tools.kubectl import Kubectl

GROUP = "external-secrets.io"
EXTERNAL = f"externalsecrets.{GROUP}"
STORES = f"clustersecretstores.{GROUP}"
VALUE = "stand-in"
ABOUT = "external-secrets does not run: its kinds are there, and Secrets that it would copy from AWS hold stand-ins"


def install(kubectl: Kubectl, processes: Processes) -> None:
    """The kinds, from the module whose schemas manifests are held against."""
    for module, path in crds.SOURCES:
        if module is crds.EXTERNAL_SECRETS:
            kubectl("apply", "--server-side", "-f", str(crds.folder(module) / path))
    processes.until("kinds of external-secrets", lambda: not_served(kubectl, GROUP), STARTED_WITHIN)


def fill(kubectl: Kubectl) -> None:
    """Each ExternalSecret that has none gets its Secret, and it and its store say that they are ready."""
    found = json.loads(kubectl("get", f"{EXTERNAL},{STORES}", "-A", "-o", "json"))["items"]
    for each in found:
        if "conditions" in each.get("status", {}):
            continue
        if each["kind"] == "ExternalSecret":
            kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(secret(each)))
        _ready(kubectl, each)


def secret(external: dict[str, Any]) -> dict[str, Any]:
    """The Secret with every key that the ExternalSecret promises; of one that copies a whole secret, none is known."""
    spec, metadata = external["spec"], external["metadata"]
    target = spec.get("target", {})
    template = target.get("template", {})
    keys = [
        *template.get("data", {}),
        *(each["secretKey"] for each in spec.get("data", []) if not template.get("data")),
    ]
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": target.get("name", metadata["name"]),
            "namespace": metadata["namespace"],
            "labels": template.get("metadata", {}).get("labels", {}),
        },
        "data": {key: base64.b64encode(VALUE.encode()).decode() for key in keys},
    }


def _ready(kubectl: Kubectl, each: dict[str, Any]) -> None:
    metadata = each["metadata"]
    where = ["-n", metadata["namespace"]] if "namespace" in metadata else []
    now = {"lastTransitionTime": metadata["creationTimestamp"]}
    condition = {"type": "Ready", "status": "True", "reason": "StandIn", "message": ABOUT, **now}
    status = json.dumps({"status": {"conditions": [condition]}})
    kind = EXTERNAL if each["kind"] == "ExternalSecret" else STORES
    kubectl("patch", kind, metadata["name"], *where, "--subresource=status", "--type=merge", f"--patch={status}")
