"""Helm values: this cluster's facts in each chart's language, and the ServiceAccounts of its identities."""

from __future__ import annotations

from generators.model.catalog import App, Inputs
from generators.model.identities import ROLE_ANNOTATION, WorkloadIdentity, identities
from generators.renderers.charts import CHARTS
from generators.renderers.charts.placement import Values


def render(inputs: Inputs) -> dict[str, object]:
    """`values/<app>.yaml` for each helm app with facts of the cluster."""
    return {f"values/{name}.yaml": facts for name in inputs.apps() if (facts := _facts(inputs, name))}


def has_facts(inputs: Inputs, name: str) -> bool:
    """Whether `values/<app>.yaml` exists."""
    app = inputs.catalog.apps[name]
    return app.kind == "helm" and (name in CHARTS or bool(app.identities))


def _facts(inputs: Inputs, name: str) -> Values:
    if not has_facts(inputs, name):
        return {}
    facts: Values = CHARTS[name](inputs) if name in CHARTS else {}
    for identity in identities(inputs):
        if identity.app == name:
            _put(facts, identity.values_path, _service_account(inputs.catalog.apps[name], identity))
    return facts


def _service_account(app: App, identity: WorkloadIdentity) -> Values:
    """The name is written out: a chart's own default would not be the one that the role trusts.

    A third party's chart gets the role alone: cluster-autoscaler's writes annotations without quotes, and the API
    server refuses one that is `true`. Which STS is asked, the pods' environment says.
    """
    annotations = {ROLE_ANNOTATION: identity.role_arn} if app.chart else identity.annotations
    return {"create": True, "name": identity.service_account, "annotations": annotations}


def _put(values: Values, path: str, value: Values) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        values = values.setdefault(parent, {})  # type: ignore[assignment]
    values[last] = value
