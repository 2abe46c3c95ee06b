"""Values that are no cluster's choice: told in the file that says otherwise, with the cure."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from typer.testing import Result

from generators.checks import held_values
from generators.model.base import dotted
from generators.source.workspace import Workspace
from tests import fleets

Fleet = Callable[..., Result]
HELD = fleets.committed().catalog.apps["external-secrets"].chart
assert HELD is not None
BAD = [
    ({"installCRDs": False}, "installCRDs", "must be `true`: its stores and secrets need its kinds"),
    ({"processSecretStore": True}, "processSecretStore", "must be `false`: "),
    ({"priorityClassName": "system-cluster-critcal"}, "priorityClassName", "no cluster has the PriorityClass"),
    ({"a": {"daemonsetPriorityClassName": "fast"}}, "a.daemonsetPriorityClassName", "no cluster has"),
    ({"serviceMonitor": {"enabled": True}}, "serviceMonitor.enabled", "no app brings the kind ServiceMonitor"),
    ({"hostNetwork": True}, "hostNetwork", "gives its pods the node's network"),
    ({"x": {"hostNetwork": {"enabled": True}}}, "x.hostNetwork", "gives its pods the node's network"),
]
GOOD = {
    "installCRDs": True,
    "processSecretStore": False,
    "priorityClassName": "system-node-critical",
    "certController": {"priorityClassName": ""},
    "serviceMonitor": {"enabled": False},
    "hostNetwork": {"enabled": False},
}


@pytest.mark.parametrize(("values", "path", "told"), BAD)
def test_what_fails_everywhere_is_refused(values: dict[str, object], path: str, told: str) -> None:
    assert HELD is not None
    (found,) = held_values.findings(HELD.held_values, values)
    assert dotted(found.path) == path
    assert found.message.startswith(told)
    assert found.hint


def test_what_works_is_silent() -> None:
    assert HELD is not None
    assert list(held_values.findings(HELD.held_values, GOOD)) == []


def test_held_values_are_values_of_their_chart() -> None:
    catalog = fleets.committed().catalog
    held = {(app.chart.name, path) for app in catalog.apps.values() if app.chart for path in app.chart.held_values}
    assert held
    assert [(chart, path) for chart, path in held if path not in catalog.chart_values[chart].paths] == []


def test_it_is_told_at_its_line(workspace: Workspace, fleet: Fleet) -> None:
    folder = fleets.add(workspace, "demo", fleets.text().replace("prod-tokyo", "demo"))
    (folder / "values").mkdir()
    (folder / "values" / "external-secrets.yaml").write_text("# By hand.\ninstallCRDs: false\n")
    assert fleet("render").exit_code == 0
    result = fleet("validate", "demo")
    assert result.exit_code == 1
    assert "error: clusters/demo/values/external-secrets.yaml:2:14: installCRDs: must be `true`: its" in result.output
    assert "hint: take it out of this file" in result.output
