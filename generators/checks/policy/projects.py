"""Argo CD refuses an Application that its AppProject does not allow: here that is seen before it is merged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from generators.checks.policy.objects import Object, items, mapping
from generators.checks.policy.rule import Scene
from generators.checks.scope import CLUSTER_SCOPED
from generators.model.base import Finding, Path, did_you_mean

HINT = "see generators/renderers/argocd.py, and cluster_resources and namespace in the app's app.yaml"


def allowed(scene: Scene, each: Object) -> Iterator[Finding]:
    """Project, sources, destination, and the kinds of the objects that its app renders."""
    name = str(each.spec.get("project"))
    if name not in scene.projects:
        hint = did_you_mean(name, scene.projects, f"there are: {', '.join(sorted(scene.projects))}")
        yield Finding(("spec", "project"), f"there is no AppProject `{name}`", hint)
        return
    project = scene.projects[name].spec
    yield from _sources(each, name, project)
    yield from _destination(each, name, project)
    yield from _kinds(scene, each, name, project)


def _sources(each: Object, name: str, project: Mapping[str, Any]) -> Iterator[Finding]:
    found: list[tuple[Path, Mapping[str, Any]]] = [(("spec", "source"), mapping(each.spec.get("source")))]
    found += [(("spec", "sources", index), mapping(one)) for index, one in enumerate(items(each.spec.get("sources")))]
    patterns = [str(pattern) for pattern in items(project.get("sourceRepos"))]
    for path, source in found:
        url = source.get("repoURL")
        if url is not None and not _matches(str(url), patterns):
            yield Finding((*path, "repoURL"), f"AppProject `{name}` allows no source `{url}`", HINT)


def _destination(each: Object, name: str, project: Mapping[str, Any]) -> Iterator[Finding]:
    wanted = mapping(each.spec.get("destination"))
    if not any(_leads(mapping(one), wanted) for one in items(project.get("destinations"))):
        told = f"AppProject `{name}` does not allow the namespace `{wanted.get('namespace')}` of this cluster"
        yield Finding(("spec", "destination", "namespace"), told, HINT)


def _leads(destination: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(
        _matches(str(wanted[key]), [str(destination.get(key, "*" if key == "name" else ""))])
        for key in ("server", "name", "namespace")
        if key in wanted
    )


def _kinds(scene: Scene, each: Object, name: str, project: Mapping[str, Any]) -> Iterator[Finding]:
    """Kinds that the app declares and its project lacks; those that it does not declare are told by `scope`."""
    app = scene.facts.apps.get(each.name)
    declared = set(app.cluster_resources) if app else set()
    for kind in sorted(scene.kinds(each.name)):
        refused = not _listed(kind, project.get("clusterResourceWhitelist"))
        if kind in CLUSTER_SCOPED and kind in declared and refused:
            told = f"AppProject `{name}` does not allow the cluster-scoped `{kind}`, which the app renders"
            yield Finding(("spec", "project"), told, HINT)
        if kind not in CLUSTER_SCOPED and _listed(kind, project.get("namespaceResourceBlacklist")):
            yield Finding(("spec", "project"), f"AppProject `{name}` forbids `{kind}`, which the app renders", HINT)


def _listed(kind: str, entries: object) -> bool:
    group, _, name = kind.partition("/")
    found = [mapping(entry) for entry in items(entries)]
    return any(_matches(group, [str(e.get("group"))]) and _matches(name, [str(e.get("kind"))]) for e in found)


def _matches(text: str, patterns: list[str]) -> bool:
    """Argo CD's globs; one with `!` before it forbids."""
    if any(fnmatchcase(text, pattern[1:]) for pattern in patterns if pattern.startswith("!")):
        return False
    return any(fnmatchcase(text, pattern) for pattern in patterns)
