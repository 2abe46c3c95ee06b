"""Argo CD: a root Application, one Application an app, and the AppProject that bounds them."""

from __future__ import annotations

from generators.model.catalog import PROJECT, ROOT_APPLICATION, App, Inputs
from generators.model.catalog_rules import SYSTEM_NAMESPACES
from generators.renderers import repository, values

API = "argoproj.io/v1alpha1"
NAMESPACE = "argocd"
PROJECT_NAME = "fleet"
IN_CLUSTER = "https://kubernetes.default.svc"
WAVE = "argocd.argoproj.io/sync-wave"
SYNC_OPTIONS = "argocd.argoproj.io/sync-options"
FINALIZER = "resources-finalizer.argocd.argoproj.io"
RETRY = {"limit": 5, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "5m"}}


def render(inputs: Inputs) -> dict[str, object]:
    """`argocd/root.yaml`, `argocd/project.yaml` and `argocd/<app>.yaml`."""
    tree: dict[str, object] = {
        f"argocd/{ROOT_APPLICATION}.yaml": _root(inputs),
        f"argocd/{PROJECT}.yaml": _project(inputs),
    }
    for name, app in inputs.apps().items():
        tree[f"argocd/{name}.yaml"] = _application(inputs, name, app)
    return tree


def _root(inputs: Inputs) -> dict[str, object]:
    """Watches the folder of Applications. Without a finalizer: deleting it by mistake deletes nothing else."""
    return {
        "apiVersion": API,
        "kind": "Application",
        "metadata": {
            "name": ROOT_APPLICATION,
            "namespace": NAMESPACE,
            "annotations": {
                "argocd.argoproj.io/manifest-generate-paths": f"/{repository.generated(inputs, 'argocd')}",
                SYNC_OPTIONS: "Prune=false,Delete=confirm",
            },
        },
        "spec": {
            "project": PROJECT_NAME,
            "source": {**_git(inputs), "path": repository.generated(inputs, "argocd")},
            "destination": {"server": IN_CLUSTER, "namespace": NAMESPACE},
            "syncPolicy": {
                "automated": {"prune": True, "selfHeal": True, "allowEmpty": False},
                "retry": RETRY,
                "syncOptions": ["ServerSideApply=true", "FailOnSharedResource=true", "PruneLast=true"],
            },
        },
    }


def _application(inputs: Inputs, name: str, app: App) -> dict[str, object]:
    """One app. Taking it out of the cluster file waits for a person's confirmation before anything is removed."""
    metadata: dict[str, object] = {
        "name": name,
        "namespace": NAMESPACE,
        "annotations": {
            "argocd.argoproj.io/manifest-generate-paths": ";".join(_watched(inputs, name, app)),
            SYNC_OPTIONS: "Prune=confirm,Delete=confirm",
            WAVE: str(app.wave),
        },
        "labels": {"app.kubernetes.io/part-of": "inference-fleet", "owner": app.owner},
    }
    if app.cascade:
        metadata["finalizers"] = [FINALIZER]
    spec: dict[str, object] = {"project": PROJECT_NAME, **_sources(inputs, name, app)}
    spec["destination"] = {"server": IN_CLUSTER, "namespace": app.namespace}
    spec["syncPolicy"] = _sync_policy(app)
    return {"apiVersion": API, "kind": "Application", "metadata": metadata, "spec": spec}


def _git(inputs: Inputs) -> dict[str, str]:
    return {"repoURL": inputs.cluster.git.repository, "targetRevision": inputs.cluster.git.revision}


def _sources(inputs: Inputs, name: str, app: App) -> dict[str, object]:
    if app.chart is None:
        folder = "overlays" if app.kind == "kustomize" else "manifests"
        return {"source": {**_git(inputs), "path": repository.generated(inputs, folder, name)}}
    helm = {"releaseName": name, "valueFiles": [f"$values/{path}" for path in value_files(inputs, name)]}
    chart = {
        "repoURL": app.chart.repository,
        "chart": app.chart.name,
        "targetRevision": app.chart.version,
        "helm": helm,
    }
    return {"sources": [chart, {**_git(inputs), "ref": "values"}]}


def value_files(inputs: Inputs, name: str) -> list[str]:
    """The files that exist, lowest precedence first: the app's own, the cluster's generated, the cluster's override."""
    candidates = (
        (name in inputs.catalog.plain_values, repository.app(name, "values.yaml")),
        (values.has_facts(inputs, name), repository.generated(inputs, "values", f"{name}.yaml")),
        (name in inputs.overrides, f"{repository.cluster(inputs)}/values/{name}.yaml"),
    )
    return [path for exists, path in candidates if exists]


def _watched(inputs: Inputs, name: str, app: App) -> list[str]:
    """Folders and files whose change makes Argo CD render the app again; all others leave it alone."""
    if app.kind == "helm":
        return [f"/{path}" for path in value_files(inputs, name)]
    folder = "overlays" if app.kind == "kustomize" else "manifests"
    base = [f"/{repository.app(name)}"] if app.kind == "kustomize" else []
    return [*base, f"/{repository.generated(inputs, folder, name)}"]


def _sync_policy(app: App) -> dict[str, object]:
    policy: dict[str, object] = {
        "automated": {"prune": True, "selfHeal": True, "allowEmpty": False},
        "retry": RETRY,
        "syncOptions": ["ServerSideApply=true", "FailOnSharedResource=true", "PruneLast=true"],
    }
    if app.pod_security:
        labels = {f"pod-security.kubernetes.io/{mode}": app.pod_security for mode in ("enforce", "warn")}
        policy["managedNamespaceMetadata"] = {"labels": labels}
        policy["syncOptions"] = ["CreateNamespace=true", *policy["syncOptions"]]  # type: ignore[misc]
    return policy


def _project(inputs: Inputs) -> dict[str, object]:
    """What the Applications may read, where they may write, and which cluster-scoped kinds they may make."""
    apps = inputs.apps().values()
    charts = {app.chart.repository for app in apps if app.chart}
    kinds = {tuple(kind.split("/")) for app in apps for kind in app.cluster_resources}
    if any(app.namespace not in SYSTEM_NAMESPACES for app in apps):
        kinds.add(("", "Namespace"))
    return {
        "apiVersion": API,
        "kind": "AppProject",
        "metadata": {
            "name": PROJECT_NAME,
            "namespace": NAMESPACE,
            "annotations": {SYNC_OPTIONS: "Prune=false,Delete=confirm", WAVE: "-100"},
        },
        "spec": {
            "description": f"Everything that Argo CD may do on {inputs.cluster.name}",
            "sourceRepos": [inputs.cluster.git.repository, *sorted(charts)],
            "destinations": [
                {"server": IN_CLUSTER, "namespace": namespace}
                for namespace in sorted({NAMESPACE, *(app.namespace for app in apps)})
            ],
            "clusterResourceWhitelist": [{"group": group, "kind": kind} for group, kind in sorted(kinds)],
            "orphanedResources": {"warn": False},
        },
    }
