"""A run from order to end: what must hold before, the way there, the upload, the start, the wait."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from generators.errors import FleetError, Place, Problem, wrong
from generators.kubeflow import api as calls
from generators.kubeflow import specs, way
from generators.kubeflow.api import Api, Refused
from generators.kubeflow.specs import Spec
from generators.model import labels, names
from generators.model.catalog import Inputs
from generators.tools.kubectl import of_person

APP = "kubeflow-pipelines"
POLL_SECONDS = 5.0
PATIENCE = 12
"""How many polls in a row may fail before the wait is given up; a port-forward breaks when its pod moves."""
READ, WRITTEN = ("prefix", "model"), "output"
"""Parameters that name places in the bucket, by the names that pipelines give them."""
OVER = {"SUCCEEDED", "SKIPPED", "FAILED", "CANCELED"}
Say = Callable[[str], None]


@dataclass(frozen=True)
class Door:
    """How to reach an installation: a URL, a session's cookie, or whatever kubectl needs."""

    url: str = ""
    cookie: str = ""
    kubeconfig: Path | None = None
    context: str = ""


@dataclass(frozen=True)
class Started:
    """A run that was started, by names and ids; `url` is its page."""

    run: str
    run_id: str
    experiment: str
    pipeline: str
    version: str
    url: str


def check(inputs: Inputs, spec: Spec, parameters: Mapping[str, Any]) -> None:
    """Raises FleetError where the cluster has no Kubeflow Pipelines, or no GPU for a pipeline that wants one."""
    cluster = inputs.cluster
    file = f"clusters/{cluster.name}/cluster.yaml"
    if APP not in cluster.apps.names():
        raise wrong(file, "does not run Kubeflow Pipelines", key="apps", hint=f"add `{APP}: {{}}` to its apps")
    gpus = [name for name, group in cluster.node_groups.items() if group.gpu and group.gpu.mode == "job"]
    _check_prefixes(inputs, spec, parameters, file)
    if parameters.get("gpu") is True and labels.ANY_CUDA_IMAGE in spec.text and not gpus:
        what = "has no node group with `gpu: {mode: job}`, so tasks on GPUs would wait for ever"
        raise wrong(file, what, key="node_groups", hint="run it with gpu=false, or add such a group")


def _check_prefixes(inputs: Inputs, spec: Spec, parameters: Mapping[str, Any], file: str) -> None:
    """Raises FleetError for a place in the bucket that the tasks' role does not reach; by the parameters' names."""
    settings = inputs.cluster.apps.kubeflow_pipelines
    if settings is None:
        return
    readable = (*settings.inputs, *settings.outputs, inputs.cluster.storage.pipelines_prefix)
    problems = []
    for name, allowed, key in (*((name, readable, "inputs") for name in READ), (WRITTEN, settings.outputs, "outputs")):
        value = parameters.get(name, spec.parameters[name].default) if name in spec.parameters else None
        if isinstance(value, str) and not value.startswith(allowed):
            what = f"`{value}` is not below {' or '.join(allowed)}, and tasks reach nothing else"
            hint = f"add it to apps.{APP}.{key} in {file}, render and apply"
            problems.append(Problem(Place(f"pipeline {spec.name}"), what, name, hint))
    if problems:
        raise FleetError(problems)


@contextmanager
def reached(inputs: Inputs, door: Door, say: Say) -> Iterator[Api]:
    """The API of the cluster's installation. Raises FleetError where the way leads nowhere, or to another cluster."""
    if door.url or door.cookie:
        yield way.given(door.url or _pages(inputs), door.cookie)
        return
    kubectl = of_person(door.kubeconfig, door.context)
    found, own = way.bucket(kubectl), names.bucket(inputs.cluster)
    if found is None:
        say(f"warning: cannot read which bucket is behind kubectl; make sure that it leads to {inputs.cluster.name}")
    elif found != own:
        hint = f"name the context of {inputs.cluster.name}: --context, or kubectl config use-context"
        raise wrong("kubectl", f"leads to an installation with the bucket {found}, not {own}", hint=hint)
    with way.forwarded(kubectl) as api:
        yield api


def submit(api: Api, inputs: Inputs, spec: Spec, parameters: Mapping[str, Any], experiment: str, name: str) -> Started:
    """Uploads what is missing and starts the run. Without a `name`, it is the pipeline's with the time."""
    text = specs.for_cluster(spec.text, inputs.cluster)
    version = f"{spec.name}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"
    pipeline = calls.version(api, spec.name, spec.meaning, version, text)
    run = name or f"{spec.name} {datetime.now().astimezone():%Y-%m-%d %H:%M:%S}"
    run_id = calls.start(api, run, calls.experiment(api, experiment), pipeline, parameters)
    return Started(run, run_id, experiment, spec.name, version, f"{_pages(inputs)}/#/runs/details/{run_id}")


def wait(api: Api, run_id: str, say: Say, sleep: Callable[[float], None] = time.sleep) -> str:
    """The run's last state, once it is over. Says each change. Raises FleetError where the API stays away."""
    told: dict[str, str] = {}
    failures = 0
    while True:
        try:
            found, failures = calls.run(api, run_id), 0
        except Refused:
            raise
        except FleetError:
            failures += 1
            if failures > PATIENCE:
                raise
            found = {}
        for task, state in _states(found):
            if told.get(task) != state:
                told[task] = state
                say(f"{task}: {state.lower()}")
        state = str(found.get("state", ""))
        if state in OVER:
            say(f"run: {state.lower()}{_reason(found)}")
            return state
        sleep(POLL_SECONDS)


def _states(run: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Tasks by name, one of each iteration of a loop: the last that the API tells counts."""
    for task in run.get("run_details", {}).get("task_details", []):
        name, state = task.get("display_name", ""), task.get("state", "")
        if name and state and not name.endswith("-driver") and name != "executor":
            yield f"{name} ({task.get('task_id', '')[:8]})", state


def _reason(run: Mapping[str, Any]) -> str:
    message = run.get("error", {}).get("message", "")
    return f": {message}" if message else ""


def _pages(inputs: Inputs) -> str:
    """URL of the installation's pages."""
    ui = inputs.catalog.apps[APP].ui
    if ui is None:
        raise wrong(f"apps/{APP}/app.yaml", "has no pages behind the load balancer", key="ui", hint="give --url")
    return f"https://{names.ui_host(inputs.cluster, ui)}"
