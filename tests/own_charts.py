"""The charts of this repository, rendered by a real helm with a cluster's values and a test's own.

`python -m tests.own_charts CLUSTER FOLDER` writes Fluent Bit's configuration of a cluster, for a real one to look at.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests import fleets
from tests.tool_needed import needed

CHARTS = fleets.ROOT / "charts"
NAMES = ("cloudwatch-agent", "fluent-bit")
NAMESPACE = "amazon-cloudwatch"
LEAST = {"clusterName": "demo", "region": "ap-northeast-1"}
Values = dict[str, Any]
Objects = dict[tuple[str, str], Any]
"""By kind and name."""


def helm(*arguments: str, values: Values | None = None) -> subprocess.CompletedProcess[str]:
    """Runs helm, with values on its standard input where there are some."""
    text = json.dumps({**LEAST, **(values or {})})
    command = [str(needed("helm")), *arguments, "--values=-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


def template(chart: str, values: Values | None = None, kubernetes: str = "1.35") -> Objects:
    """The chart's objects."""
    return dict(_template(chart, json.dumps(values or {}, sort_keys=True), kubernetes))


@cache
def _template(chart: str, values: str, kubernetes: str) -> Objects:
    where = (f"--namespace={NAMESPACE}", f"--kube-version={kubernetes}.0")
    done = helm("template", chart, str(CHARTS / chart), *where, values=json.loads(values))
    assert done.returncode == 0, done.stderr
    documents = list(filter(None, yaml.safe_load_all(done.stdout)))
    found = {(each["kind"], each["metadata"]["name"]): each for each in documents}
    assert len(found) == len(documents)
    return found


def refusal(chart: str, values: Values) -> str:
    """What helm says of values that it refuses."""
    done = helm("template", chart, str(CHARTS / chart), values=values)
    assert done.returncode != 0, done.stdout
    return done.stderr


def of_cluster(chart: str, cluster: str) -> Values:
    """The values of a committed cluster."""
    path: Path = fleets.ROOT / "clusters" / cluster / "generated" / "values" / f"{chart}.yaml"
    found: Values = yaml.safe_load(path.read_text())
    return found


def pods(objects: Objects) -> dict[str, Any]:
    """Pod templates' specs by the name of their workload."""
    workloads = {name: each for (kind, name), each in objects.items() if kind in {"DaemonSet", "Deployment"}}
    return {name: each["spec"]["template"]["spec"] for name, each in workloads.items()}


def write_configuration(cluster: str, folder: Path) -> None:
    """Fluent Bit's files for a committed cluster."""
    folder.mkdir(parents=True, exist_ok=True)
    objects = template("fluent-bit", of_cluster("fluent-bit", cluster))
    for name, text in objects["ConfigMap", "fluent-bit"]["data"].items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    write_configuration(sys.argv[1], Path(sys.argv[2]))
