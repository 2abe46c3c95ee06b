"""Rendered objects stay where their app may write: its namespace, and the cluster-scoped kinds that it declares."""

from __future__ import annotations

from generators.model.base import Finding
from generators.model.catalog import App

CLUSTER_SCOPED = frozenset(
    {
        "/Namespace",
        "/Node",
        "/PersistentVolume",
        "admissionregistration.k8s.io/MutatingWebhookConfiguration",
        "admissionregistration.k8s.io/ValidatingAdmissionPolicy",
        "admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding",
        "admissionregistration.k8s.io/ValidatingWebhookConfiguration",
        "apiextensions.k8s.io/CustomResourceDefinition",
        "apiregistration.k8s.io/APIService",
        "external-secrets.io/ClusterSecretStore",
        "networking.k8s.io/IngressClass",
        "node.k8s.io/RuntimeClass",
        "rbac.authorization.k8s.io/ClusterRole",
        "rbac.authorization.k8s.io/ClusterRoleBinding",
        "scheduling.k8s.io/PriorityClass",
        "storage.k8s.io/CSIDriver",
        "storage.k8s.io/StorageClass",
    }
)
"""Cluster-scoped kinds that an app may come with."""


def findings(app_name: str, app: App, document: dict[str, object]) -> list[Finding]:
    """What one object does outside of its app's bounds."""
    kind = group_kind(document)
    metadata = document.get("metadata")
    namespace = metadata.get("namespace") if isinstance(metadata, dict) else None
    if kind in CLUSTER_SCOPED:
        if kind in app.cluster_resources:
            return []
        hint = f"add `{kind}` to cluster_resources in apps/{app_name}/app.yaml, which the AppProject then allows"
        return [Finding(("kind",), f"`{kind}` is cluster-scoped and not declared", hint)]
    if namespace != app.namespace:
        hint = f"the app's namespace is `{app.namespace}`; the AppProject allows it no other"
        return [Finding(("metadata", "namespace"), f"`{namespace}` is not the app's namespace", hint)]
    return []


def group_kind(document: dict[str, object]) -> str:
    """`group/Kind`, with an empty group for the core API."""
    group, _, version = str(document.get("apiVersion", "")).rpartition("/")
    return f"{group}/{document.get('kind', '')}" if version else ""
