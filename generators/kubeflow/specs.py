"""Compiled pipelines: which there are, what they ask for, and what they become for one cluster."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from generators.errors import FleetError, Place, Problem, wrong
from generators.model import labels, names
from generators.model.apps import GpuInferenceSettings
from generators.model.base import did_you_mean
from generators.model.cluster import Cluster

PROJECT = Path("apps", "kubeflow-pipelines", "pipelines")
COMPILED = PROJECT / "compiled"


@dataclass(frozen=True)
class Parameter:
    """One parameter of a pipeline; `kind` in KFP's words, for example NUMBER_INTEGER."""

    name: str
    kind: str
    required: bool
    default: Any
    meaning: str

    def facts(self) -> dict[str, str]:
        """What a person reads of it."""
        default = "" if self.default is None else _shown(self.default)
        own = "the cluster's own" if self.default == labels.ANY_BUCKET else default
        kind = _KINDS[self.kind][1].removeprefix("a ") if self.kind in _KINDS else "text"
        return {"parameter": self.name, "type": kind, "default": own, "meaning": self.meaning}


@dataclass(frozen=True)
class Spec:
    """A compiled pipeline. `text` is what a cluster would read, but for the cluster's own facts."""

    name: str
    meaning: str
    parameters: Mapping[str, Parameter]
    text: str


def known(root: Path) -> list[str]:
    """Names of the compiled pipelines of a checkout, sorted."""
    return sorted(path.stem for path in (root / COMPILED).glob("*.yaml"))


def read(root: Path, name: str) -> Spec:
    """A compiled pipeline. Raises FleetError where there is none of this name, or where its file is none."""
    found = known(root)
    if name not in found:
        hint = did_you_mean(name, found, "`fleet pipelines list` shows them, `fleet pipelines compile` makes them")
        raise wrong(f"{COMPILED}/{name}.yaml", f"there is no pipeline `{name}`", hint=hint)
    text = (root / COMPILED / f"{name}.yaml").read_text(encoding="utf-8")
    return _parsed(name, text)


def _parsed(name: str, text: str) -> Spec:
    import yaml

    try:
        document = next(yaml.load_all(text, Loader=yaml.CSafeLoader))
        info, asked = document["pipelineInfo"], document["root"].get("inputDefinitions", {}).get("parameters", {})
    except (yaml.YAMLError, KeyError, TypeError, StopIteration):
        raise wrong(f"{COMPILED}/{name}.yaml", "is no compiled pipeline", hint="fleet pipelines compile") from None
    parameters = {key: _parameter(key, facts) for key, facts in asked.items()}
    return Spec(info["name"], info.get("description", ""), parameters, text)


def _parameter(name: str, facts: Mapping[str, Any]) -> Parameter:
    default, kind = facts.get("defaultValue"), facts["parameterType"]
    required = default is None and not facts.get("isOptional", False)
    if kind == "NUMBER_INTEGER" and default is not None:
        default = int(default)  # kfp writes every number as a float
    return Parameter(name, kind, required, default, facts.get("description", "").strip())


def for_cluster(text: str, cluster: Cluster) -> str:
    """The pipeline with the cluster's image and bucket in place of what stands for them."""
    version = (cluster.apps.gpu_inference or GpuInferenceSettings()).worker_version
    own = {
        labels.ANY_WORKER_IMAGE: names.worker_image(cluster, version),
        labels.ANY_CUDA_IMAGE: names.worker_image(cluster, f"{version}{labels.CUDA_SUFFIX}"),
        labels.ANY_BUCKET: names.bucket(cluster),
    }
    for placeholder, value in own.items():
        text = text.replace(placeholder, value)
    return text


def here(spec: Spec, given: Sequence[str], cluster: Cluster | None) -> dict[str, Any]:
    """As `arguments`, for a run on this machine: the bucket is that of a cluster, or must be given."""
    buckets = {name for name, each in spec.parameters.items() if each.default == labels.ANY_BUCKET}
    own = {name: replace(each, required=cluster is None) for name, each in spec.parameters.items() if name in buckets}
    found = arguments(replace(spec, parameters={**spec.parameters, **own}), given)
    return {**(dict.fromkeys(buckets, names.bucket(cluster)) if cluster else {}), **found}


def arguments(spec: Spec, given: Sequence[str]) -> dict[str, Any]:
    """Values by parameter out of `name=value`, typed. Raises FleetError with everything that does not fit."""
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    for each in given:
        name, equals, text = each.partition("=")
        try:
            if not equals:
                raise _misfit(spec, name, "has no value", f"--param {name}=VALUE")
            if name in found:
                raise _misfit(spec, name, "is given twice", "")
            found[name] = _typed(spec, name, text)
        except FleetError as error:
            problems += error.problems
    missing = [name for name, each in spec.parameters.items() if each.required and name not in found]
    problems += [Problem(Place(f"pipeline {spec.name}"), "needs a value", name) for name in missing]
    if problems:
        raise FleetError(problems)
    return found


def _typed(spec: Spec, name: str, text: str) -> Any:
    parameter = spec.parameters.get(name)
    if parameter is None:
        hint = did_you_mean(name, spec.parameters, f"it has {', '.join(spec.parameters)}" if spec.parameters else "")
        raise _misfit(spec, name, "is no parameter of it", hint)
    convert, words = _KINDS.get(parameter.kind, (str, "text"))
    try:
        return convert(text)
    except ValueError:
        raise _misfit(spec, name, f"`{text}` is not {words}", f"for example {name}={_example(parameter)}") from None


def _misfit(spec: Spec, name: str, message: str, hint: str) -> FleetError:
    return wrong(f"pipeline {spec.name}", message, key=name, hint=hint)


def _example(parameter: Parameter) -> str:
    fallback = {"NUMBER_INTEGER": 1, "NUMBER_DOUBLE": 0.5, "BOOLEAN": True, "LIST": [], "STRUCT": {}}
    value = fallback.get(parameter.kind, "") if parameter.default is None else parameter.default
    return _shown(value)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _boolean(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError
    return text.lower() == "true"


def _number(text: str) -> float:
    value = float(text)
    if value != value or value in {float("inf"), float("-inf")}:
        raise ValueError
    return value


def _json(kind: type) -> Callable[[str], Any]:
    def convert(text: str) -> Any:
        value = json.loads(text)
        if not isinstance(value, kind):
            raise ValueError
        return value

    return convert


_KINDS: dict[str, tuple[Callable[[str], Any], str]] = {
    "BOOLEAN": (_boolean, "true or false"),
    "LIST": (_json(list), "a JSON list"),
    "NUMBER_DOUBLE": (_number, "a number"),
    "NUMBER_INTEGER": (int, "a whole number"),
    "STRUCT": (_json(dict), "a JSON object"),
}
