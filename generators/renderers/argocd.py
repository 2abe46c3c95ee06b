"""Argo CD: a root Application, one Application an app, and the AppProjects that bound them."""

from __future__ import annotations

from generators.model.catalog import PROJECT_FILES, PROJECTS, ROOT_APPLICATION, App, Inputs
from generators.renderers import repository, values

API = "argoproj.io/v1alpha1"
NAMESPACE = "argocd"
BOOTSTRAP_PROJECT, OWN_PROJECT, FLEET_PROJECT = PROJECTS
ROOT_ONLY: set[tuple[str, ...]] = {("argoproj.io", kind) for kind in ("Application", "ApplicationSet", "AppProject")}
"""Whoever may make these may do what any project allows."""
IN_CLUSTER = "https://kubernetes.default.svc"
WAVE = "argocd.argoproj.io/sync-wave"
SYNC_OPTIONS = "argocd.argoproj.io/sync-options"
FINALIZER = "resources-finalizer.argocd.argoproj.io"
RETRY = {"limit": -1, "refresh": True, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "5m"}}
"""Without end: after a last attempt Argo CD leaves a commit alone, self-heal included, until there is another."""
SYNC_CHOICES = ["ServerSideApply=true", "FailOnSharedResource=true"]
"""No PruneLast: a Job that was replaced must go before its successor ends, not after."""
SYNC = {
    "automated": {"prune": True, "selfHeal": True, "allowEmpty": False},
    "retry": RETRY,
    "syncOptions": SYNC_CHOICES,
}


def render(inputs: Inputs) -> dict[str, object]:
    """`argocd/root.yaml`, the AppProjects, and `argocd/<app>.yaml`."""
    projects = (_bootstrap_project(inputs), _own_project(inputs), _fleet_project(inputs))
    tree: dict[str, object] = {f"argocd/{ROOT_APPLICATION}.yaml": _root(inputs)}
    tree |= {f"argocd/{file}.yaml": project for file, project in zip(PROJECT_FILES, projects, strict=True)}
    for name, app in inputs.apps().items():
        tree[f"argocd/{name}.yaml"] = _application(inputs, name, app)
    return tree


def _root(inputs: Inputs) -> dict[str, object]:
    """Watches the folder of Applications, and leaves itself out: its own health would hold up its own waves.

    Without a finalizer: deleting it by mistake deletes nothing else.
    """
    return {
        "apiVersion": API,
        "kind": "Application",
        "metadata": {
            "name": ROOT_APPLICATION,
            "namespace": NAMESPACE,
            "annotations": {
                "argocd.argoproj.io/manifest-generate-paths": f"/{repository.generated(inputs, 'argocd')}",
                SYNC_OPTIONS: "Delete=confirm",
            },
        },
        "spec": {
            "project": BOOTSTRAP_PROJECT,
            "source": {
                **_git(inputs),
                "path": repository.generated(inputs, "argocd"),
                "directory": {"exclude": f"{ROOT_APPLICATION}.yaml"},
            },
            "destination": {"server": IN_CLUSTER, "namespace": NAMESPACE},
            "syncPolicy": SYNC,
        },
    }


def _application(inputs: Inputs, name: str, app: App) -> dict[str, object]:
    """One app. Out of the cluster file it stays, marked out of sync, until a person deletes it: never a whole fleet."""
    metadata: dict[str, object] = {
        "name": name,
        "namespace": NAMESPACE,
        "annotations": {
            **_watched(inputs, name, app),
            SYNC_OPTIONS: "Prune=false,Delete=confirm",
            WAVE: str(app.wave),
        },
        "labels": {"app.kubernetes.io/part-of": "inference-fleet", "owner": app.owner},
    }
    if app.cascade:
        metadata["finalizers"] = [FINALIZER]
    project = OWN_PROJECT if app.namespace == NAMESPACE else FLEET_PROJECT
    spec: dict[str, object] = {"project": project, **_sources(inputs, name, app)}
    spec["destination"] = {"server": IN_CLUSTER, "namespace": app.namespace}
    spec["syncPolicy"] = _sync_policy(app)
    return {"apiVersion": API, "kind": "Application", "metadata": metadata, "spec": spec}


def _git(inputs: Inputs) -> dict[str, str]:
    return {"repoURL": inputs.cluster.git.repository, "targetRevision": inputs.cluster.git.revision}


def _sources(inputs: Inputs, name: str, app: App) -> dict[str, object]:
    if app.own_chart:
        # A leading slash is the root of the repository that the chart is in.
        own = {"releaseName": name, "valueFiles": [f"/{path}" for path in value_files(inputs, name)]}
        return {"source": {**_git(inputs), "path": repository.chart(app.own_chart), "helm": own}}
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


def _watched(inputs: Inputs, name: str, app: App) -> dict[str, str]:
    """Folders whose change makes Argo CD render the app again; all others leave it alone.

    Not for third-party charts: beside a chart and a `ref`, the annotation broke chart upgrades up to Argo CD 3.5.1
    (#28890).
    """
    if app.chart:
        return {}
    if app.own_chart:
        paths = [repository.chart(app.own_chart), *value_files(inputs, name)]
    elif app.kind == "kustomize":
        paths = [repository.app(name), repository.generated(inputs, "overlays", name)]
    else:
        paths = [repository.generated(inputs, "manifests", name)]
    return {"argocd.argoproj.io/manifest-generate-paths": ";".join(f"/{path}" for path in paths)}


def _sync_policy(app: App) -> dict[str, object]:
    if app.pod_security is None:
        return SYNC
    labels = {f"pod-security.kubernetes.io/{mode}": app.pod_security for mode in ("enforce", "warn")}
    options = ["CreateNamespace=true", *SYNC_CHOICES]
    return {**SYNC, "syncOptions": options, "managedNamespaceMetadata": {"labels": labels}}


def _fleet_project(inputs: Inputs) -> dict[str, object]:
    """All apps but Argo CD, whose namespace none of them may write to."""
    apps = [app for app in inputs.catalog.apps.values() if app.namespace != NAMESPACE]
    return _apps_project(inputs, FLEET_PROJECT, "What the apps of this cluster may do", apps)


def _own_project(inputs: Inputs) -> dict[str, object]:
    """Argo CD may change itself, but which Applications there are is the root's alone."""
    apps = [app for app in inputs.catalog.apps.values() if app.namespace == NAMESPACE]
    bounds: dict[str, object] = {"namespaceResourceBlacklist": _kinds(ROOT_ONLY)}
    return _apps_project(inputs, OWN_PROJECT, "What Argo CD may do to itself", apps, bounds)


def _apps_project(
    inputs: Inputs, name: str, description: str, apps: list[App], bounds: dict[str, object] | None = None
) -> dict[str, object]:
    """What these apps may read, where they may write, and which cluster-scoped kinds they may make.

    From the whole catalogue: an app that was turned off must still be allowed to remove what it made.
    """
    charts = {app.chart.repository for app in apps if app.chart}
    kinds = {tuple(kind.split("/")) for app in apps for kind in app.cluster_resources}
    return _project(
        inputs,
        name,
        description=description,
        repositories=[inputs.cluster.git.repository, *sorted(charts)],
        namespaces=sorted({app.namespace for app in apps}),
        bounds={"clusterResourceWhitelist": _kinds({*kinds, ("", "Namespace")}), **(bounds or {})},
    )


def _bootstrap_project(inputs: Inputs) -> dict[str, object]:
    """Applications and projects, and nothing else: what the root Application may make."""
    return _project(
        inputs,
        BOOTSTRAP_PROJECT,
        description="What the root Application may do",
        repositories=[inputs.cluster.git.repository],
        namespaces=[NAMESPACE],
        bounds={
            "clusterResourceWhitelist": [],
            "namespaceResourceWhitelist": _kinds({("argoproj.io", "Application"), ("argoproj.io", "AppProject")}),
        },
    )


def _kinds(pairs: set[tuple[str, ...]]) -> list[dict[str, str]]:
    return [{"group": group, "kind": kind} for group, kind in sorted(pairs)]


def _project(
    inputs: Inputs,
    name: str,
    *,
    description: str,
    repositories: list[str],
    namespaces: list[str],
    bounds: dict[str, object],
) -> dict[str, object]:
    return {
        "apiVersion": API,
        "kind": "AppProject",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "annotations": {SYNC_OPTIONS: "Prune=false,Delete=confirm", WAVE: "-100"},
        },
        "spec": {
            "description": f"{description} ({inputs.cluster.name})",
            "sourceRepos": repositories,
            "destinations": [{"server": IN_CLUSTER, "namespace": namespace} for namespace in namespaces],
            **bounds,
        },
    }
