"""That what pods name is there: kwok would say of a pod without its Secret that it is Ready all the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from generators.lab.lab import Lab
from tests.e2e.pods import name, pods

Object = dict[str, Any]
Needed = tuple[str, str, str, str]
"""Kind, namespace, name, and a key or an empty text."""
BY_KUBERNETES = {"kube-root-ca.crt"}


def needed(pod: Object) -> Iterator[Needed]:
    """Every Secret and ConfigMap that a pod cannot do without."""
    namespace, spec = pod["metadata"]["namespace"], pod["spec"]
    for container in [*spec.get("initContainers", []), *spec["containers"]]:
        for each in container.get("env", []):
            for source, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
                found = each.get("valueFrom", {}).get(source)
                if found and not found.get("optional"):
                    yield kind, namespace, found["name"], found["key"]
        for each in container.get("envFrom", []):
            for source, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
                if source in each and not each[source].get("optional"):
                    yield kind, namespace, each[source]["name"], ""
    for volume in spec.get("volumes", []):
        yield from _of_volume(namespace, volume)


def _of_volume(namespace: str, volume: Object) -> Iterator[Needed]:
    sources = [volume, *volume.get("projected", {}).get("sources", [])]
    for source in sources:
        for key, kind, field in (("secret", "Secret", "secretName"), ("configMap", "ConfigMap", "name")):
            found = source.get(key)
            if found and not found.get("optional"):
                target = found.get(field) or found["name"]
                items = [item["key"] for item in found.get("items", [])] or [""]
                yield from ((kind, namespace, target, item) for item in items)


def test_every_secret_config_map_and_key_is_there(synced: Lab) -> None:
    there = {
        (each["kind"], each["metadata"]["namespace"], each["metadata"]["name"]): {
            "",
            *(each.get("data") or {}),
            *(each.get("binaryData") or {}),
        }
        for each in synced.get("secrets,configmaps", "-A")
    }
    missing = {
        (name(pod), kind, target, key)
        for pod in pods(synced)
        for kind, namespace, target, key in needed(pod)
        if key not in there.get((kind, namespace, target), set()) and target not in BY_KUBERNETES
    }
    assert missing == set()
