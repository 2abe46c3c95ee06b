"""A small chart in the place of Argo CD's own, whose repository no test can reach.

It holds the same custom resources, by the schemas of the real ones, and no program. A ConfigMap tells the values that
it got, and a hook is waited for as the real chart's is, where a test asks for that.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from generators.checks.schemas import CRDS

DEFAULTS = {"global": {"domain": "of-the-chart"}, "server": {"replicas": 1}, "configs": {"cm": {}}, "hook": False}
SEEN = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: seen, namespace: {{ .Release.Namespace }}, labels: {release: {{ .Release.Name }}}}
data:
  values.json: {{ toJson .Values | quote }}
"""
HOOK = """\
{{- if .Values.hook }}
apiVersion: batch/v1
kind: Job
metadata:
  name: before-all
  namespace: {{ .Release.Namespace }}
  annotations: {helm.sh/hook: "pre-install,pre-upgrade", helm.sh/hook-delete-policy: before-hook-creation}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: one, image: example.com/one}]
{{- end }}
"""


def write(folder: Path, *, name: str = "argo-cd", hook: bool = False) -> Path:
    """The chart's folder."""
    templates = folder / "templates"
    templates.mkdir(parents=True)
    (folder / "Chart.yaml").write_text(json.dumps({"apiVersion": "v2", "name": name, "version": "10.1.1"}))
    (folder / "values.yaml").write_text(json.dumps({**DEFAULTS, "hook": hook}))
    (templates / "seen.yaml").write_text(SEEN)
    (templates / "hook.yaml").write_text(HOOK)
    for kind in ("Application", "AppProject"):
        (templates / f"{kind.lower()}.yaml").write_text(json.dumps(definition(kind)))
    return folder


def definition(kind: str) -> dict[str, Any]:
    """A CustomResourceDefinition of Argo CD's, by the schema that this project checks its own objects with."""
    schema = json.loads((CRDS / "argoproj.io" / f"{kind.lower()}_v1alpha1.json").read_text(encoding="utf-8"))
    fields = {name: _structural(each) for name, each in schema["properties"].items() if name in {"spec", "operation"}}
    fields["status"] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    plural = f"{kind.lower()}s"
    version = {
        "name": "v1alpha1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": fields}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.argoproj.io"},
        "spec": {
            "group": "argoproj.io",
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "versions": [version],
        },
    }


def _structural(schema: Any) -> Any:
    """In the form that a CustomResourceDefinition takes: unknown keys are dropped there, not refused."""
    if isinstance(schema, list):
        return [_structural(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _structural(each) for key, each in schema.items() if (key, each) != ("additionalProperties", False)}
    if "anyOf" in found and "type" not in found:
        found["x-kubernetes-int-or-string"] = True
    return found
