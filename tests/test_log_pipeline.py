"""Fluent Bit's configuration: that it is one, that every line has one way, and what is left out of it."""

from __future__ import annotations

from itertools import product
from typing import Any

import lupa
import pytest

from generators.errors import FleetError
from generators.pipeline import fleet
from generators.renderers import render
from generators.source.workspace import Workspace
from tests import fleets, fluent_bit, own_charts
from tests.fluent_bit import problems, sections
from tests.own_charts import Values, template

SMALLEST = fleets.ROOT / "tests" / "golden" / "clusters" / "smallest" / "cluster.yaml"
KINDS = ("application", "dataplane", "host")
EVERYTHING: Values = {
    "application": {
        "excludedNamespaces": ["noisy"],
        "sampledNamespaces": {"gpu-inference": 10},
        "dropPatterns": ["GET /healthz", "^$"],
        "linesPerSecond": 500,
    },
    "metrics": {"namespaces": ["gpu-inference", "others"]},
}
INJECTED = {"KUBERNETES_SERVICE_HOST"}
"""What the kubelet gives every container."""


def files(values: Values) -> dict[str, str]:
    found: dict[str, str] = template("fluent-bit", values)["ConfigMap", "fluent-bit"]["data"]
    return found


def environment(values: Values) -> set[str]:
    (container,) = own_charts.pods(template("fluent-bit", values))["fluent-bit"]["containers"]
    return {each["name"] for each in container["env"]} | INJECTED


def told(values: Values) -> list[str]:
    return problems(files(values), environment(values))


@pytest.mark.parametrize("on", [chosen for chosen in product([True, False], repeat=3) if any(chosen)])
def test_any_choice_of_logs_is_a_configuration(on: tuple[bool, ...]) -> None:
    values = {kind: {"enabled": enabled} for kind, enabled in zip(KINDS, on, strict=True)}
    assert told(values) == []
    outputs = [each.get("alias") for each in sections(files(values)) if each.kind == "output"]
    assert outputs == [kind for kind, enabled in zip(KINDS, on, strict=True) if enabled]


def test_every_option_at_once_is_one_too() -> None:
    assert told(EVERYTHING) == []


@pytest.mark.parametrize("cluster", ["dev-tokyo", "prod-tokyo"])
def test_so_are_those_of_the_clusters_which_write_to_groups_that_terraform_makes(cluster: str) -> None:
    values = own_charts.of_cluster("fluent-bit", cluster)
    assert told(values) == []
    outputs = [each for each in sections(files(values)) if each.kind == "output"]
    assert outputs
    for each in outputs:
        assert each.get("log_group_name") == f"/aws/containerinsights/{cluster}/{each.get('alias')}"
        assert each.get("auto_create_group") == "Off"
        assert each.get("region") == "ap-northeast-1"


SETTINGS = """\
  fluent-bit:
    logs: [host, application]
    excluded_namespaces: [noisy, chatty]
    sampled_namespaces: {other: 5, other/main: 50}
    drop_patterns: ['^DEBUG', 'a b']
    lines_per_second: 250
    host_priority: 2
"""


def test_what_a_cluster_file_says_reaches_the_chart(workspace: Workspace) -> None:
    fleets.add(workspace, "smallest", SMALLEST.read_text() + SETTINGS)
    tree: Any = render(fleet.read(workspace).load("smallest"))
    values = tree["values/fluent-bit.yaml"]
    assert values["application"] == {
        "enabled": True,
        "excludedNamespaces": ["chatty", "noisy"],
        "sampledNamespaces": {"other": 5, "other/main": 50},
        "dropPatterns": ["^DEBUG", "a b"],
        "linesPerSecond": 250,
    }
    assert values["metrics"] == {"namespaces": []}
    assert values["dataplane"] == {"enabled": False}
    assert values["host"] == {"enabled": True, "priority": 2}
    assert told(values) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("logs: []", "logs: "),
        ("logs: [applications]", "logs[0]: "),
        ("sampled_namespaces: {a: 100}", "100 is more than 99, the limit"),
        ("sampled_namespaces: {a/: 5}", "`a/` is not a namespace, or a namespace and one of its containers"),
        ("lines_per_second: 1", "1 is less than 10, the limit"),
        ("host_priority: 8", "8 is more than 7, the limit"),
        ("drop_patterns: ['(']", "`(` is no regular expression: "),
        ("drop_patterns: ['${HOME}']", "holds `${`, which Fluent Bit takes for a variable"),
        ("drop_pattern: ['a']", "is not a known key\nhint: did you mean `drop_patterns`?"),
        (
            "excluded_namespaces: [a]\n    sampled_namespaces: {a: 5}",
            "`a` is in apps.fluent-bit.excluded_namespaces too",
        ),
        (
            "excluded_namespaces: [a]\n    sampled_namespaces: {a/main: 5}",
            "`a` is in apps.fluent-bit.excluded_namespaces too",
        ),
    ],
)
def test_settings_that_cannot_be_are_told_at_their_line(workspace: Workspace, line: str, said: str) -> None:
    fleets.add(workspace, "smallest", f"{SMALLEST.read_text()}  fluent-bit:\n    {line}\n")
    with pytest.raises(FleetError) as caught:
        fleet.read(workspace).load("smallest")
    assert "clusters/smallest/cluster.yaml:1" in str(caught.value)
    assert said in str(caught.value)


BROKEN = [
    ("application.conf", "Read_from_Head ", "Read_from_Hat ", "[INPUT] application-pods: no such key: Read_from_Hat"),
    (
        "application.conf",
        "Name                tail",
        "Name                tale",
        "[INPUT] application-pods: no such plugin",
    ),
    ("application.conf", "Use_Kubelet ", "Use_Cubelet ", "[FILTER] metadata: no such key: Use_Cubelet"),
    ("application.conf", "multiline.parser    cri", "multiline.parser    crio", "no such multiline parser: crio"),
    ("application.conf", "${HOST_IP}", "${HOST}", "application.conf: nobody sets HOST"),
    ("application.conf", "application.var.log", "application.log", "Kube_Tag_Prefix is not application.var.log.cont"),
    ("application.conf", "/fluent-bit/etc/sample.lua", "/fluent-bit/etc/simple.lua", "no such script"),
    ("application.conf", "    [OUTPUT]", "    [OUTPUT", "is neither a section nor a key"),
    ("dataplane.conf", "Match                    dataplane.*", "Match                    *", "goes to 2 outputs"),
    ("host.conf", "Tag                 host.journal", "Tag                 hosts", "its tag hosts goes to 0 outputs"),
    ("host.conf", "Match               host.journal", "Match               journal", "no input has a tag like journal"),
    ("host.conf", "state/host.db", "state/application.db", "is another's"),
    ("host.conf", "/var/fluent-bit/state/host.db", "/host.db", "lost with the pod"),
    (
        "metrics.conf",
        "metrics.$TAG",
        "measures.$TAG",
        "[FILTER] metrics-0: its tag measures.application.*_gpu-inference_*",
    ),
    (
        "metrics.conf",
        "application.*_others_*",
        "pods.*_others_*",
        "[FILTER] metrics-1: no input has a tag like pods.*_others_*",
    ),
    ("metrics.conf", "log_key ", "log_keys ", "[OUTPUT] metrics: no such key: log_keys"),
    ("fluent-bit.conf", "storage.path ", "storage.paths ", "no such key: storage.paths"),
    ("fluent-bit.conf", "@INCLUDE host.conf", "@INCLUDE hosts.conf", "includes hosts.conf, which is not there"),
]


@pytest.mark.parametrize(("file", "old", "new", "said"), BROKEN)
def test_the_reader_sees_what_is_broken(file: str, old: str, new: str, said: str) -> None:
    found = dict(files(EVERYTHING))
    old, new = old.removeprefix("    ["), new.removeprefix("    [")
    assert old in found[file]
    found[file] = found[file].replace(old, new)
    try:
        message = "\n".join(problems(found, environment(EVERYTHING)))
    except ValueError as error:
        message = str(error)
    assert said in message


def section(values: Values, alias: str) -> fluent_bit.Section:
    (found,) = [each for each in sections(files(values)) if each.get("alias") == alias]
    return found


def test_pods_are_told_apart_by_their_own_kubelet() -> None:
    metadata = section({}, "metadata")
    assert metadata.get("Use_Kubelet") == "On"
    assert metadata.get("Kubelet_Host") == "${HOST_IP}"
    # Those would ask the API server.
    assert {"namespace_labels", "namespace_annotations"}.isdisjoint(key.lower() for key, _ in metadata.entries)


def test_what_waits_lies_on_the_nodes_disk_within_bounds() -> None:
    found = sections(files({"buffer": {"diskLimit": "2G", "chunksInMemory": 64}}))
    assert {each.get("storage.type") for each in found if each.kind == "input"} == {"filesystem"}
    assert {each.get("storage.total_limit_size") for each in found if each.kind == "output"} == {"2G"}
    (service,) = [each for each in found if each.kind == "service"]
    assert service.get("storage.max_chunks_up") == "64"
    assert service.get("storage.path").startswith("/var/fluent-bit/state/")
    pod = own_charts.pods(template("fluent-bit"))["fluent-bit"]
    (state,) = [each for each in pod["volumes"] if each["name"] == "state"]
    assert state["hostPath"]["path"] == "/var/fluent-bit/state"
    assert pod["terminationGracePeriodSeconds"] > int(service.get("grace"))


def test_a_namespace_that_is_left_out_is_never_read() -> None:
    excluded = section(EVERYTHING, "application-pods").get("Exclude_Path").split(", ")
    assert "/var/log/containers/*_noisy_*.log" in excluded
    assert section(EVERYTHING, "dataplane-pods").get("Path").split(", ") == excluded[:2]


def test_lines_are_dropped_and_bounded_before_they_cost_anything() -> None:
    order = [each.get("alias") or each.get("name") for each in sections(files(EVERYTHING)) if each.kind == "filter"]
    # Metrics are none of them: they go their own way before.
    assert order[:7] == ["metrics-0", "metrics-1", "sample", "drop-0", "drop-1", "bound", "metadata"]
    assert section(EVERYTHING, "drop-0").get("Exclude") == "log GET /healthz"
    assert section(EVERYTHING, "bound").get("Rate") == "500"
    assert not {"sample", "bound"} & {each.get("alias") for each in sections(files({}))}


def lines(stream: str, namespace: str, container: str = "main", count: int = 2000, **sampled: int) -> int:
    """How many of so many lines the script keeps, run by a real Lua."""
    lua = lupa.LuaRuntime()
    values = {"application": {"sampledNamespaces": sampled}} if sampled else EVERYTHING
    lua.execute(files(values)["sample.lua"])
    tag = f"application.var.log.containers.a-pod-1_{namespace}_{container}-0123abc.log"
    sample: Any = lua.globals().sample
    kept = [sample(tag, 1.5, lua.table(log="x", stream=stream)) for _ in range(count)]
    assert {each[0] for each in kept} <= {-1, 0}
    return sum(each[0] == 0 for each in kept)


def test_a_tenth_of_stdout_is_kept_and_all_of_stderr() -> None:
    assert 100 < lines("stdout", "gpu-inference") < 320  # seven standard deviations about 200
    assert lines("stderr", "gpu-inference") == 2000
    assert lines("stdout", "another") == 2000


def test_a_container_may_be_sampled_and_the_others_of_its_namespace_not() -> None:
    servers = {"gpu-inference/model-server": 10}
    assert 100 < lines("stdout", "gpu-inference", "model-server", **servers) < 320
    assert lines("stdout", "gpu-inference", "worker", **servers) == 2000
    both = {"gpu-inference": 10, "gpu-inference/worker": 99}
    assert lines("stdout", "gpu-inference", "worker", **both) > 1900
    assert 100 < lines("stdout", "gpu-inference", "server", **both) < 320


def test_metrics_come_with_the_app_whose_workers_write_them() -> None:
    assert own_charts.of_cluster("fluent-bit", "prod-tokyo")["metrics"] == {"namespaces": ["gpu-inference"]}
    assert "metrics.conf" not in files({})
    assert "metrics.conf" not in files({**EVERYTHING, "application": {"enabled": False}})


@pytest.mark.parametrize(
    "settings", ["{logs: [host]}", "{excluded_namespaces: [gpu-inference]}"], ids=["no logs of pods", "excluded"]
)
def test_where_lines_are_not_read_there_are_no_metrics_and_nobody_looks_for_any(
    workspace: Workspace, settings: str
) -> None:
    before = fleets.text().replace("prod-tokyo", "watched")
    start, end = before.index("  fluent-bit:"), before.index("  metrics-server:")
    for name, said in (("watched", "{}"), ("unread", settings)):
        text = f"{before[:start]}  fluent-bit: {said}\n{before[end:]}"
        fleets.add(workspace, name, text.replace("watched", name))
    for name in ("watched", "unread"):
        tree: Any = render(fleet.read(workspace).load(name))
        there = name == "watched"
        assert bool(tree["values/fluent-bit.yaml"]["metrics"]["namespaces"]) is there
        assert ("movies-at-fault" in tree["terraform/alarms.json"]["expression"]) is there
        assert ("InferenceFleet/Worker" in str(tree["terraform/dashboard.json"])) is there


def test_the_data_planes_lines_come_once() -> None:
    host = next(each for each in sections(files({})) if each.get("match") == "host.journal" and each.get("exclude"))
    units = [each.removeprefix("_SYSTEMD_UNIT=") for each in section({}, "dataplane-units").all("Systemd_Filter")]
    assert (
        host.get("exclude")
        == f"_SYSTEMD_UNIT ^({'|'.join(unit.removesuffix('.service') for unit in units)})\\.service$"
    )
    alone = sections(files({"dataplane": {"enabled": False}}))
    assert not [each for each in alone if each.get("exclude")]


@pytest.mark.parametrize("priority", [0, 4, 7])
def test_as_much_of_the_journal_as_was_asked_for(priority: int) -> None:
    found = section({"host": {"priority": priority}}, "host-journal").all("Systemd_Filter")
    assert found == ["_TRANSPORT=kernel", *(f"PRIORITY={each}" for each in range(priority + 1))]
