"""Renovate's configuration finds each pin of this repository exactly once. Its regexes run here as Renovate runs them.

Renovate itself is no part of the tests: what is said of its own managers (uv, Go, Terraform, …) is not proved here.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from generators.checks.upgrade import objects
from generators.tools import crds, lifecycle
from tests import fleets

ROOT = fleets.ROOT
CONFIG: dict[str, Any] = json.loads((ROOT / ".github" / "renovate.json").read_text())
MANAGERS: dict[str, dict[str, Any]] = {each["description"]: each for each in CONFIG["customManagers"]}
IMAGE = re.compile(r"[a-z0-9][a-z0-9.-]*\.[a-z]{2,}(/[a-z0-9._-]+)+:[A-Za-z0-9_][\w.-]*")


class Pin(NamedTuple):
    """A version that a file holds: of what, by Renovate's data source, and where it is looked up."""

    file: str
    datasource: str
    package: str
    value: str
    registry: str = ""


def python(pattern: str) -> re.Pattern[str]:
    """A regex of Renovate (RE2, with JavaScript's named groups) as Python's."""
    assert not re.search(r"\(\?<?[=!]|\\[1-9]", pattern), "RE2 has no look-around and no back-references"
    return re.compile(pattern.replace("(?<", "(?P<"))


def filled(template: str, groups: dict[str, str]) -> str:
    return re.sub(r"\{\{\{(\w+)\}\}\}", lambda match: groups[match[1]], template)


def matches(pattern: str, file: str) -> bool:
    """A file pattern between slashes, which is the one form in use here."""
    assert pattern.startswith("/")
    assert pattern.endswith("/")
    return bool(python(pattern[1:-1]).search(file))


def found(manager: dict[str, Any], files: dict[str, str]) -> Iterator[Pin]:
    for file, text in files.items():
        if any(matches(pattern, file) for pattern in manager["managerFilePatterns"]):
            for pattern in manager["matchStrings"]:
                for match in python(pattern).finditer(text):
                    groups = {key: value for key, value in match.groupdict().items() if value}
                    name = filled(manager.get("depNameTemplate", "{{{depName}}}"), groups)
                    package = filled(manager.get("packageNameTemplate", name), {"depName": name, **groups})
                    registry = groups.get("registryUrl", "")
                    yield Pin(file, manager["datasourceTemplate"], package, groups["currentValue"], registry)


@cache
def committed() -> dict[str, str]:
    """Files that Renovate looks at: what is committed, its own ignored paths left out."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    ignored = [
        re.compile(re.escape(path).replace(r"\*\*/", "(.*/)?").replace(r"\*\*", ".*").replace(r"\*", "[^/]*"))
        for path in CONFIG["ignorePaths"]
    ]
    names = [name for name in listed.split("\0") if name and not any(each.fullmatch(name) for each in ignored)]
    return {
        name: (ROOT / name).read_text(encoding="utf-8", errors="replace") for name in names if (ROOT / name).is_file()
    }


def charts(files: dict[str, str]) -> Iterator[Pin]:
    for file, text in files.items():
        if re.fullmatch(r"apps/[^/]+/app\.yaml", file) and (chart := yaml.safe_load(text).get("chart")):
            repository, name, version = chart["repository"], chart["name"], str(chart["version"])
            if repository.startswith("https://"):
                yield Pin(file, "helm", name, version, repository)
            else:
                yield Pin(file, "docker", f"{repository}/{name}", version)


def images(files: dict[str, str]) -> Iterator[Pin]:
    """Images with registry and tag: in cluster files, in containers of bases, in the models' defaults."""
    for file, text in files.items():
        written: Iterable[str] = ()
        if re.fullmatch(r"clusters/[^/]+/cluster\.yaml", file):
            written = texts(yaml.safe_load(text))
        elif re.fullmatch(r"apps/[^/]+/base/.+\.yaml", file):
            documents = [each for each in yaml.safe_load_all(text) if isinstance(each, dict)]
            written = [image for each in documents for _, image in objects.images(each)]
        elif re.fullmatch(r"generators/model/\w+\.py", file):
            written = re.findall(r'"([^"\n]+)"', text)
        for image in written:
            if IMAGE.fullmatch(image):
                yield Pin(file, "docker", *image.rsplit(":", 1))


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, (dict, list)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts(each)
    elif isinstance(value, str):
        yield value


def minors(files: dict[str, str]) -> Iterator[Pin]:
    for file, text in files.items():
        if re.fullmatch(r"clusters/([^/]+/cluster|defaults)\.yaml", file) and (
            minor := yaml.safe_load(text).get("kubernetes")
        ):
            yield Pin(file, "endoflife-date", "amazon-eks", minor)
    table = "generators/data/minors.json"
    for facts in json.loads(files[table])["minors"].values():
        yield Pin(table, "docker", "registry.k8s.io/autoscaling/cluster-autoscaler", facts["cluster_autoscaler"])


def tools(files: dict[str, str]) -> Iterator[Pin]:
    for module in dict.fromkeys(module for module, _ in crds.SOURCES):
        yield Pin("generators/tools/crds.py", "go", module.path, module.version)
    for module in lifecycle.MODULES:
        yield Pin("generators/tools/lifecycle.py", "go", module.path, module.version)
    assigned = dict(re.findall(r"^(\w+) :?= ?(.*)$", files["Makefile"], re.MULTILINE))
    yield Pin("Makefile", "pypi", "uv", assigned["UV_VERSION"])
    for file, text in files.items():
        if file.startswith(".github/workflows/"):
            for job in yaml.safe_load(text)["jobs"].values():
                for step in job.get("steps", ()):
                    if version := step.get("with", {}).get("terraform_version"):
                        yield Pin(file, "github-releases", "hashicorp/terraform", str(version))


def test_each_pin_is_found_exactly_once() -> None:
    files = committed()
    pins = Counter([*charts(files), *images(files), *minors(files), *tools(files)])
    told = Counter(pin for manager in MANAGERS.values() for pin in found(manager, files))
    assert {pin.datasource for pin in pins} == {"helm", "docker", "endoflife-date", "go", "pypi", "github-releases"}
    assert told - pins == Counter(), "found more often than pinned, or found where nothing is pinned"
    assert pins - told == Counter(), "pinned where no manager finds it"


@pytest.mark.parametrize("name", MANAGERS)
def test_each_manager_finds_something_of_its_own(name: str) -> None:
    # No committed cluster names an image yet.
    files = committed() | {"clusters/prod-osaka/cluster.yaml": 'apps: {g: {server_image: "nvcr.io/a/b:1.0"}}\n'}
    assert list(found(MANAGERS[name], files))


APP = "description: x\nchart:\n  repository: {}\n  name: tool\n  version: {}\nwave: 0\n"


@pytest.mark.parametrize(
    ("file", "text", "pin"),
    [
        ("apps/a/app.yaml", APP.format("https://example.com/charts", "1.2.3"), ("helm", "tool", "1.2.3")),
        (
            "apps/a/app.yaml",
            APP.format("ghcr.io/example/charts", '"1.2.3"'),
            ("docker", "ghcr.io/example/charts/tool", "1.2.3"),
        ),
        ("apps/a/app.yaml", "kind: helm\nown_chart: tool\n", None),
        ("apps/a/base/x.yaml", "  - image: quay.io/a/b:v1.2\n", ("docker", "quay.io/a/b", "v1.2")),
        ("apps/a/base/deep/x.yaml", "  - image: 'quay.io/a/b:v1.2'\n", ("docker", "quay.io/a/b", "v1.2")),
        ("apps/a/base/x.yaml", f"  - image: quay.io/a/b:v1@sha256:{'a' * 64}\n", ("docker", "quay.io/a/b", "v1")),
        ("apps/a/base/x.yaml", "  - image: coredns\n", None),
        (
            "clusters/c/cluster.yaml",
            "  g: {server_image: nvcr.io/nvidia/t:25.08-py3, a: 1}\n",
            ("docker", "nvcr.io/nvidia/t", "25.08-py3"),
        ),
        ("clusters/c/cluster.yaml", 'name: c\nkubernetes: "1.36"\n', ("endoflife-date", "amazon-eks", "1.36")),
        ("clusters/c/generated/values/a.yaml", "image: quay.io/a/b:v1.2\n", None),
        ("generators/model/apps.py", 'x = "quay.io/a/b:v1.2"\n', ("docker", "quay.io/a/b", "v1.2")),
        ("generators/model/apps.py", 'x = "https://quay.io/a:1"\n', None),
    ],
)
def test_what_a_pin_looks_like(file: str, text: str, pin: tuple[str, str, str] | None) -> None:
    told = [pin for manager in MANAGERS.values() for pin in found(manager, {file: text})]
    assert [each[1:4] for each in told] == ([pin] if pin else [])


def test_nothing_merges_by_itself_and_all_comes_on_one_morning() -> None:
    assert CONFIG["automerge"] is False
    assert "automerge" not in json.dumps(CONFIG["packageRules"])
    assert CONFIG["schedule"] == ["* 0-8 * * 1"]
    assert CONFIG["minimumReleaseAge"]


def test_the_tests_tools_are_looked_at_and_generated_files_are_not() -> None:
    files = committed()
    # The preset's own list has every tests/ folder: ours stands in its place.
    assert "tests/tools/go.mod" in files
    assert "apps/gpu-inference/worker/pyproject.toml" in files
    assert not [file for file in files if "/generated/" in file or file.startswith("tests/golden/")]


def rules(**words: str) -> list[dict[str, Any]]:
    return [rule for rule in CONFIG["packageRules"] if all(word in rule.get(key, ()) for key, word in words.items())]


def test_a_chart_comes_alone_with_what_finishes_it() -> None:
    (rule,) = rules(matchFileNames="apps/*/app.yaml")
    assert "groupName" not in rule
    assert "fleet charts index {{{depName}}} {{{newVersion}}}" in rule["prBodyNotes"][0]


def test_cluster_autoscaler_keeps_the_minor_of_its_kubernetes() -> None:
    name = "registry.k8s.io/autoscaling/cluster-autoscaler"
    off = [rule for rule in rules(matchPackageNames=name) if rule.get("enabled") is False]
    assert [rule["matchUpdateTypes"] for rule in off] == [["major", "minor"]]


def test_versions_of_the_model_server_are_told_apart() -> None:
    (rule,) = rules(matchPackageNames="nvcr.io/nvidia/tritonserver")
    pattern = python(rule["versioning"].removeprefix("regex:"))
    server = next(pin for pin in images(committed()) if pin.package == "nvcr.io/nvidia/tritonserver")
    assert pattern.search(server.value)
    assert not pattern.search("25.08-trtllm-python-py3")


def test_files_named_in_rules_exist() -> None:
    for rule in CONFIG["packageRules"]:
        for pattern in rule.get("matchFileNames", ()):
            folder = Path(pattern.split("*")[0].rsplit("/", 1)[0])
            assert (ROOT / folder).is_dir(), pattern
