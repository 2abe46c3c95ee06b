"""Where Kubeflow Pipelines keeps data, held against the cluster's own bucket: over what kustomize built."""

from __future__ import annotations

from collections.abc import Sequence

from generators.checks import pipelines_storage
from generators.errors import Problem
from generators.model.catalog import Inputs
from generators.model.pipelines import APP
from generators.pipeline import rendered


def problems(inputs: Inputs, objects: Sequence[rendered.Rendered]) -> list[Problem]:
    """What disagrees; nothing where the app is off, or was not built."""
    found = {id(each.document): each for each in objects if each.app == APP}
    if not found:
        return []
    findings = pipelines_storage.findings(inputs, [each.document for each in found.values()])
    return [rendered.placed(found[id(document)], finding) for document, finding in findings]
