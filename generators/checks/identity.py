"""Identity is closed: a ServiceAccount and an IAM role come from one declaration, and neither is there alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from generators.model.base import Finding
from generators.model.identities import ROLE_ANNOTATION, WorkloadIdentity

Account = tuple[str, str]
"""Namespace and name of a ServiceAccount."""


def annotated(document: Mapping[str, object]) -> tuple[Account, str] | None:
    """A ServiceAccount with the IAM role that its annotation names; None for any other object."""
    metadata = document.get("metadata")
    if document.get("kind") != "ServiceAccount" or not isinstance(metadata, dict):
        return None
    annotations = metadata.get("annotations") or {}
    role = annotations.get(ROLE_ANNOTATION) if isinstance(annotations, dict) else None
    return ((str(metadata.get("namespace")), str(metadata.get("name"))), str(role)) if role else None


def of_object(declared: Iterable[WorkloadIdentity], document: Mapping[str, object]) -> list[Finding]:
    """An annotation that no declaration made."""
    found = annotated(document)
    if found is None:
        return []
    account, role = found
    wanted = {(each.namespace, each.service_account): each.role_arn for each in declared}
    if wanted.get(account) == role:
        return []
    what = f"names the role `{role}`, which no app.yaml declares for {'/'.join(account)}"
    hint = "declare it under `identities`: role, trust and annotation then follow from one place"
    return [Finding(("metadata", "annotations", ROLE_ANNOTATION), what, hint)]


def missing(
    declared: Iterable[WorkloadIdentity], documents: Iterable[Mapping[str, object]]
) -> Iterator[WorkloadIdentity]:
    """Declared identities whose ServiceAccount is not rendered. Charts render theirs from values: see `of_override`."""
    accounts = {found[0] for document in documents if (found := annotated(document))}
    for each in declared:
        if not each.values_path and (each.namespace, each.service_account) not in accounts:
            yield each


def of_override(declared: Iterable[WorkloadIdentity], app: str, values: Mapping[str, object]) -> Iterator[Finding]:
    """An override by hand that reaches into the ServiceAccount of a declared identity."""
    for each in declared:
        path = tuple(each.values_path.split("."))
        if each.app == app and each.values_path and _reaches(values, path):
            what = f"belongs to the identity {each.namespace}/{each.service_account}, whose role trusts that name only"
            yield Finding(path, what, f"change `identities` in apps/{app}/app.yaml instead")


def _reaches(values: object, path: tuple[str, ...]) -> bool:
    for step in path:
        if not isinstance(values, Mapping) or step not in values:
            return False
        values = values[step]
    return True
