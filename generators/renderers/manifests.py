"""jsonnet: `apps/<app>/main.jsonnet` is a function of one argument, the cluster's facts, and returns objects."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict

from generators.errors import wrong
from generators.model import names
from generators.model.catalog import App, Inputs
from generators.model.identities import identities
from generators.model.secrets import GIT, secret_stores
from generators.renderers import gpu_inference, jsonnet

Facts = dict[str, object]


def render(inputs: Inputs) -> Facts:
    """`manifests/<app>/<kind>-<name>.yaml`, one object a file. Raises FleetError where the jsonnet refuses."""
    tree: Facts = {}
    for name, app in inputs.apps().items():
        if app.kind == "jsonnet":
            for index, manifest in enumerate(_evaluate(inputs, name, argument(inputs, name, app))):
                file = f"manifests/{name}/{_file(name, index, manifest)}.yaml"
                if file in tree:
                    raise wrong(f"apps/{name}/main.jsonnet", f"makes two objects for {file}", hint="name them apart")
                tree[file] = manifest
    return tree


def _file(app: str, index: int, manifest: object) -> str:
    """`<kind>-<name>` of an object that has both; without them it could not be applied, or would leave the folder."""
    facts = manifest if isinstance(manifest, dict) else {}
    metadata = facts.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    for what, value, pattern in (
        ("kind", facts.get("kind"), r"[A-Za-z0-9]+"),
        ("metadata.name", name, r"[a-z0-9.:-]+"),
    ):
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            message = f"object [{index}] has no {what} that could name a file: `{value}`"
            raise wrong(f"apps/{app}/main.jsonnet", message, hint="it returns a list of Kubernetes objects")
    return f"{facts['kind']}-{name}".lower().replace(":", "-")


def argument(inputs: Inputs, name: str, app: App) -> Facts:
    """What an app's function gets. Names that Terraform or another app must agree on come ready-made."""
    cluster = inputs.cluster
    return {
        "name": cluster.name,
        "region": cluster.region,
        "environment": cluster.environment,
        "bucket": names.bucket(cluster),
        "app": {"name": name, "namespace": app.namespace},
        "nodeLocalDns": names.NODE_LOCAL_DNS,
        "roles": {each.service_account: each.role_arn for each in identities(inputs) if each.app == name},
        **(FACTS[name](inputs) if name in FACTS else {}),
    }


def _secret_stores(inputs: Inputs) -> Facts:
    return {"stores": [asdict(store) for store in secret_stores(inputs)]}


def _git_credential(inputs: Inputs) -> Facts:
    _, key = names.git_credential(inputs.cluster) or ("", "")
    return {
        "store": names.secret_store(GIT),
        "key": key,
        "secret": names.GIT_SECRET,
        "repository": inputs.cluster.git.repository,
    }


FACTS: dict[str, Callable[[Inputs], Facts]] = {
    "git-credential": _git_credential,
    "gpu-inference": gpu_inference.facts,
    "secret-stores": _secret_stores,
}


def _evaluate(inputs: Inputs, name: str, facts: Facts) -> list[object]:
    found = jsonnet.evaluate(inputs, f"apps/{name}/main.jsonnet", facts)
    if not isinstance(found, list):
        hint = "its function returns a list of Kubernetes objects"
        raise wrong(f"apps/{name}/main.jsonnet", f"returns {type(found).__name__}, not a list", hint=hint)
    return found
