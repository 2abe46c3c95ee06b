"""Our charts: every option on, off and wrong, by a real helm; and what their pods may do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from generators.checks.schemas import SchemaChecker
from tests import fleets, own_charts
from tests.own_charts import CHARTS, NAMES, Values, pods, refusal, template

CLUSTERS = ["dev-tokyo", "prod-tokyo"]
MINORS = sorted(fleets.committed().catalog.minors)
OPTIONS: list[tuple[str, Values]] = [
    *((name, {}) for name in NAMES),
    *((name, {"serviceAccount": {"create": False, "name": "other"}}) for name in NAMES),
    *((name, {"tolerations": [], "updateStrategy": {"maxUnavailable": 7}}) for name in NAMES),
    ("cloudwatch-agent", {"enhanced": False, "interval": 300, "gpu": {"requested": False}}),
    ("cloudwatch-agent", {"gpu": {"used": True}}),
    ("cloudwatch-agent", {"gpu": {"used": True, "nodeSelector": {"a/b": "c"}, "tolerations": [{"key": "x"}]}}),
    ("fluent-bit", {"application": {"enabled": False}}),
    ("fluent-bit", {"dataplane": {"enabled": False}, "host": {"enabled": False}}),
    ("fluent-bit", {"host": {"priority": 0}}),
    ("fluent-bit", {"application": {"excludedNamespaces": ["a", "b"], "linesPerSecond": 10}}),
    ("fluent-bit", {"metrics": {"namespaces": ["a", "b-c"]}}),
    (
        "fluent-bit",
        {"application": {"sampledNamespaces": {"a": 1, "b/c-d": 99}, "dropPatterns": ['^"GET /health', "x y"]}},
    ),
]
WRONG: list[tuple[str, Values, str]] = [
    *((name, {"clusterName": ""}, "at '/clusterName'") for name in NAMES),
    *((name, {"region": "tokyo"}, "at '/region'") for name in NAMES),
    *((name, {"colour": "red"}, "additional properties 'colour' not allowed") for name in NAMES),
    *((name, {"image": {"tag": "latest"}}, "at '/image/tag'") for name in NAMES),
    *((name, {"updateStrategy": {"maxUnavailable": "0%"}}, "at '/updateStrategy/maxUnavailable'") for name in NAMES),
    *((name, {"resources": {"limits": {"memory": "1 GB"}}}, "at '/resources/limits/memory'") for name in NAMES),
    *((name, {"tolerations": [{"operator": "Any"}]}, "at '/tolerations/0/operator'") for name in NAMES),
    ("cloudwatch-agent", {"interval": 5}, "at '/interval': minimum: got 5, want 10"),
    ("cloudwatch-agent", {"enhanced": "yes"}, "at '/enhanced': got string, want boolean"),
    ("cloudwatch-agent", {"gpu": {"exporter": {"labels": {"app.kubernetes.io/name": 1}}}}, "at '/gpu/exporter/labels"),
    ("cloudwatch-agent", {"gpu": {"exporter": {"port": 0}}}, "at '/gpu/exporter/port'"),
    ("fluent-bit", {"application": {"excludedNamespaces": ["Kube_System"]}}, "at '/application/excludedNamespaces/0'"),
    ("fluent-bit", {"application": {"sampledNamespaces": {"a": 100}}}, "at '/application/sampledNamespaces/a'"),
    ("fluent-bit", {"application": {"sampledNamespaces": {"a/": 5}}}, "'a/' does not match pattern"),
    ("fluent-bit", {"metrics": {"namespaces": ["a_b"]}}, "at '/metrics/namespaces/0'"),
    ("fluent-bit", {"application": {"dropPatterns": ["a\n[OUTPUT]"]}}, "at '/application/dropPatterns/0'"),
    ("fluent-bit", {"application": {"linesPerSecond": 1}}, "at '/application/linesPerSecond'"),
    ("fluent-bit", {"host": {"priority": 8}}, "at '/host/priority': maximum: got 8, want 7"),
    ("fluent-bit", {"logLevel": "loud"}, "at '/logLevel'"),
    ("fluent-bit", {"buffer": {"diskLimit": "lots"}}, "at '/buffer/diskLimit'"),
]


@pytest.mark.parametrize(("chart", "values"), OPTIONS)
def test_whatever_is_chosen_the_objects_are_valid(chart: str, values: Values) -> None:
    objects = template(chart, values)
    checker = SchemaChecker("1.35")
    assert {str(key): found for key, each in objects.items() if (found := checker.problems(each))} == {}
    for (kind, _), each in objects.items():
        assert each["metadata"].get("namespace") == (None if kind.startswith("Cluster") else own_charts.NAMESPACE)


@pytest.mark.parametrize("minor", MINORS)
@pytest.mark.parametrize("chart", NAMES)
def test_the_kubelet_is_asked_with_the_least_right_that_the_minor_has(chart: str, minor: str) -> None:
    """From 1.33 on, /pods wants nodes/pods (KubeletFineGrainedAuthz); before, nodes/proxy, which runs commands too."""
    objects = template(chart, kubernetes=minor)
    checker = SchemaChecker(minor)
    assert [found for each in objects.values() for found in checker.problems(each)] == []
    resources = [name for rule in objects["ClusterRole", chart]["rules"] for name in rule.get("resources", [])]
    found = [name for name in resources if name.startswith("nodes/")]
    assert found == (["nodes/proxy"] if minor == "1.32" else ["nodes/pods"])


@pytest.mark.parametrize(("chart", "values", "said"), WRONG)
def test_what_is_wrong_is_refused_in_words(chart: str, values: Values, said: str) -> None:
    assert said in refusal(chart, values)


@pytest.mark.parametrize("cluster", CLUSTERS)
@pytest.mark.parametrize("chart", NAMES)
def test_helm_finds_no_fault(chart: str, cluster: str) -> None:
    done = own_charts.helm("lint", "--strict", str(CHARTS / chart), values=own_charts.of_cluster(chart, cluster))
    assert done.returncode == 0, done.stdout
    assert "[WARNING]" not in done.stdout


def closed(schema: Any, at: str = "") -> Iterator[str]:
    """Places of a schema where any key would do, but for maps that are meant to be open."""
    if isinstance(schema, dict):
        if (
            schema.get("type") == "object"
            and "properties" in schema
            and schema.get("additionalProperties") is not False
        ):
            yield at
        if schema.get("type") == "object" and not {"properties", "additionalProperties", "maxProperties"} & set(schema):
            yield at
        for key, value in schema.items():
            yield from closed(value, f"{at}/{key}")


def paths(schema: Any, whole: Any, at: str = "") -> Iterator[str]:
    """Every value that a schema knows, by its path."""
    if "$ref" in schema:
        schema = whole["definitions"][schema["$ref"].rpartition("/")[2]]
    for key, each in schema.get("properties", {}).items():
        yield f"{at}{key}"
        yield from paths(each, whole, f"{at}{key}.")


def given(values: Any, at: str = "") -> Iterator[str]:
    for key, value in values.items() if isinstance(values, dict) else ():
        yield f"{at}{key}"
        yield from given(value, f"{at}{key}.")


@pytest.mark.parametrize("chart", NAMES)
def test_the_schema_knows_each_value_and_no_other(chart: str) -> None:
    schema = json.loads((CHARTS / chart / "values.schema.json").read_text())
    values = yaml.safe_load((CHARTS / chart / "values.yaml").read_text())
    assert list(closed(schema)) == []
    known = set(paths(schema, schema))
    free = {"nodeSelector", "annotations", "labels"}
    written = {path for path in given(values) if not free & set(path.split(".")[:-1])}
    assert written <= known
    resources = {path for path in known if re.search(r"resources\.(requests|limits)\.", path)}
    assert known - written - resources == {"global"}


@pytest.mark.parametrize("cluster", CLUSTERS)
@pytest.mark.parametrize("chart", NAMES)
def test_pods_can_do_no_more_than_the_readme_says(chart: str, cluster: str) -> None:
    readme = (CHARTS / "README.md").read_text()
    for name, pod in pods(template(chart, own_charts.of_cluster(chart, cluster))).items():
        (container,) = pod["containers"]
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"]["drop"] == ["ALL"]
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostPID", "hostIPC"} & set(pod)
        asked = {volume["hostPath"]["path"] for volume in pod["volumes"] if "hostPath" in volume}
        asked |= {each for each in ("hostNetwork",) if pod.get(each)} | set(context["capabilities"].get("add", []))
        assert asked == set(re.findall(rf"^\| {name} \| `([^`]+)` \|", readme, re.MULTILINE))
        writable = {each["name"] for each in container["volumeMounts"] if not each.get("readOnly")}
        assert writable <= {"scratch", "state"}


@pytest.mark.parametrize("chart", NAMES)
def test_no_right_is_wider_than_it_must_be(chart: str) -> None:
    for (kind, _), each in template(chart, {"gpu": {"used": True}} if chart == "cloudwatch-agent" else {}).items():
        for rule in each.get("rules", []) if kind.endswith("Role") else []:
            assert "*" not in [*rule.get("resources", []), *rule["verbs"], *rule.get("apiGroups", [])]
            assert not {"secrets", "pods/exec", "serviceaccounts/token"} & set(rule.get("resources", []))
            if kind == "ClusterRole":
                assert set(rule["verbs"]) <= {"get", "list", "watch"}


@pytest.mark.parametrize("chart", NAMES)
def test_an_update_reaches_hundreds_of_nodes_and_stops_where_it_fails(chart: str) -> None:
    spec = template(chart)["DaemonSet", chart]["spec"]
    assert spec["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "10%"}}
    assert spec["minReadySeconds"] >= 30
    assert spec["template"]["spec"]["tolerations"] == [{"operator": "Exists"}]


@pytest.mark.parametrize(
    ("chart", "changed"),
    [
        ("cloudwatch-agent", {"interval": 120}),
        ("fluent-bit", {"application": {"linesPerSecond": 99}}),
        ("fluent-bit", {"application": {"sampledNamespaces": {"a": 5}}}),
    ],
)
def test_another_configuration_starts_the_pods_anew(chart: str, changed: Values) -> None:
    def checksum(values: Values) -> str:
        metadata = template(chart, values)["DaemonSet", chart]["spec"]["template"]["metadata"]
        return str(metadata["annotations"]["checksum/config"])

    assert checksum({}) == checksum({"logLevel": "warn"} if chart == "fluent-bit" else {"interval": 60})
    assert checksum({}) != checksum(changed)
