"""`fleet pipelines`: list, show, compile and run pipelines of Kubeflow Pipelines."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from generators.cli import console
from generators.cli.options import OutputOption, complete_cluster

if TYPE_CHECKING:
    from generators.kubeflow.specs import Spec
    from generators.kubeflow.submit import Door, Started
    from generators.model.catalog import Inputs

app = typer.Typer(help="Pipelines of Kubeflow Pipelines: list, compile and run them.", no_args_is_help=True)


def complete_pipeline(incomplete: str) -> list[str]:
    """Names of pipelines, for the shell."""
    from generators.errors import FleetError
    from generators.kubeflow import specs
    from generators.source.workspace import locate

    try:
        return [name for name in specs.known(locate().root) if name.startswith(incomplete)]
    except FleetError:
        return []


Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the pipeline.", autocompletion=complete_pipeline)]
ClusterOption = Annotated[
    str, typer.Option("--cluster", "-c", help="The cluster.", autocompletion=complete_cluster, show_default=False)
]
Param = Annotated[
    list[str] | None,
    typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter of the pipeline; may be given many times."),
]
Experiment = Annotated[
    str, typer.Option(help="Groups runs; made where it is missing. By default your own.", show_default=False)
]
RunName = Annotated[str, typer.Option("--name", help="Name of the run.", show_default=False)]
Wait = Annotated[bool, typer.Option("--wait", help="Stay until the run is over; exit 1 where it failed.")]
Here = Annotated[bool, typer.Option("--here", help="Run it on this machine, with your own credentials for S3.")]
Url = Annotated[
    str,
    typer.Option(
        envvar="FLEET_PIPELINES_URL", help="Reach it here, instead of by a port-forward of kubectl.", show_default=False
    ),
]
CookieFile = Annotated[
    Path | None,
    typer.Option(
        "--cookie-file",
        help="Holds the cookies of a session at the load balancer; or set FLEET_PIPELINES_COOKIE.",
        show_default=False,
    ),
]
Kubeconfig = Annotated[
    Path | None, typer.Option("--kubeconfig", envvar="FLEET_KUBECONFIG", help="For kubectl.", show_default=False)
]
Context = Annotated[str, typer.Option("--context", help="Of the kubeconfig; by default its own.", show_default=False)]


@app.command("list")
@console.guarded
def list_(output: OutputOption = console.Output.text) -> None:
    """List the compiled pipelines and their parameters."""
    from generators.kubeflow import specs
    from generators.source.workspace import locate

    root = locate().root
    found = [specs.read(root, name) for name in specs.known(root)]
    if output is console.Output.json:
        rows = [{"name": each.name, "description": each.meaning, "parameters": list(each.parameters)} for each in found]
        console.as_json(rows)
    else:
        console.table(("name", "description"), [(each.name, each.meaning) for each in found])


@app.command("show")
@console.guarded
def show(name: Name, cluster: ClusterOption = "", output: OutputOption = console.Output.text) -> None:
    """Show a pipeline's parameters; or, with --cluster, the YAML that this cluster would run."""
    from generators.kubeflow import specs
    from generators.pipeline import fleet
    from generators.source.workspace import locate

    workspace = locate()
    spec = specs.read(workspace.root, name)
    if cluster:
        console.data(specs.for_cluster(spec.text, fleet.read(workspace).load(cluster).cluster).removesuffix("\n"))
        return
    rows = [each.facts() for each in spec.parameters.values()]
    if output is console.Output.json:
        console.as_json(rows)
    elif rows:
        console.table(tuple(rows[0]), [tuple(row.values()) for row in rows])


@app.command("compile")
@console.guarded
def compile_(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; show a diff and exit 1 if files differ.")
    ] = False,
) -> None:
    """Compile the pipelines into what a cluster reads."""
    from generators.kubeflow import project, specs
    from generators.source.workspace import locate

    root = locate().root
    diff, differs = project.compiled(root, check=check)
    if differs:
        console.data(diff.removesuffix("\n"))
        console.say("compiled pipelines are not what the sources say; mend them with: fleet pipelines compile")
        raise typer.Exit(console.FOUND)
    console.say(f"{console.count(len(specs.known(root)), 'pipeline')}: {'all up to date' if check else 'compiled'}")


@app.command("run")
@console.guarded
def run(
    name: Name,
    cluster: ClusterOption = "",
    param: Param = None,
    experiment: Experiment = "",
    run_name: RunName = "",
    wait: Wait = False,
    here: Here = False,
    url: Url = "",
    cookie_file: CookieFile = None,
    kubeconfig: Kubeconfig = None,
    context: Context = "",
    output: OutputOption = console.Output.text,
) -> None:
    """Run a pipeline on a cluster, or on this machine."""
    from generators.kubeflow import specs
    from generators.pipeline import fleet
    from generators.source.workspace import locate

    workspace = locate()
    spec = specs.read(workspace.root, name)
    inputs = fleet.read(workspace).load(cluster) if cluster else None
    if here:
        raise typer.Exit(_run_here(workspace.root, spec, param or [], inputs))
    if inputs is None:
        raise typer.BadParameter("say which cluster: --cluster NAME; or --here for this machine")
    parameters = specs.arguments(spec, param or [])
    door = _door(url, cookie_file, kubeconfig, context)
    started, state = _run_there(inputs, spec, parameters, door, experiment or _person(workspace.root), run_name, wait)
    if output is console.Output.json:
        console.as_json({**asdict(started), "state": state})
    else:
        console.data(started.url)
    if wait and state != "SUCCEEDED":
        raise typer.Exit(console.FOUND)


def _run_here(root: Path, spec: Spec, given: list[str], inputs: Inputs | None) -> int:
    from generators.kubeflow import project, specs

    return project.run_here(root, spec.name, specs.here(spec, given, inputs.cluster if inputs else None))


def _run_there(
    inputs: Inputs, spec: Spec, parameters: dict[str, Any], door: Door, experiment: str, name: str, wait: bool
) -> tuple[Started, str]:
    from generators.kubeflow import submit

    submit.check(inputs, spec, parameters)
    with submit.reached(inputs, door, console.say) as api:
        started = submit.submit(api, inputs, spec, parameters, experiment, name)
        console.say(f"started `{started.run}` in the experiment {started.experiment}: {started.url}")
        return started, submit.wait(api, started.run_id, console.say) if wait else "PENDING"


def _door(url: str, cookie_file: Path | None, kubeconfig: Path | None, context: str) -> Door:
    from generators.kubeflow import way
    from generators.kubeflow.submit import Door

    cookie = way.read_cookie(cookie_file, os.environ.get("FLEET_PIPELINES_COOKIE", ""))
    return Door(url, cookie, kubeconfig, context)


def _person(root: Path) -> str:
    from generators.kubeflow import person

    return person.name(root)
