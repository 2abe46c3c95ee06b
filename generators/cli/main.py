"""The command line: every command in one list."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from typing import NoReturn

# Before the imports, which make much that stays, and which the collector would look through again and again.
gc.set_threshold(200_000)
# pydantic would read the metadata of every installed package in search of plugins.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

import typer  # noqa: E402

from generators.cli import (  # noqa: E402
    change,
    charts,
    console,
    inspect,
    jobs,
    lab,
    new,
    pipelines,
    render,
    schema,
    secrets,
    upgrade,
    validate,
)

app = typer.Typer(
    name="fleet",
    help="EKS inference fleets by GitOps: one typed file per cluster becomes everything Terraform and Argo CD need.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("new")(new.new)
app.command("render")(render.render)
app.command("validate")(validate.validate)
app.command("list")(inspect.list_)
app.command("show")(inspect.show)
app.command("set")(change.set_)
app.command("delete")(change.delete)
app.command("schema")(schema.schema)
app.command("secrets")(secrets.secrets)
app.command("upgrade")(upgrade.upgrade)
app.add_typer(charts.app, name="charts")
app.add_typer(jobs.app, name="jobs")
app.add_typer(lab.app, name="lab")
app.add_typer(pipelines.app, name="pipelines")


def main() -> NoReturn:
    """Entry point of the console script. Exits at once: taking the interpreter down costs a sixth of a short run."""
    code: object = 0
    try:
        app()
    except SystemExit as done:
        code = done.code
    except Exception as error:  # the last resort: nobody should have to read a traceback
        if "FLEET_TRACEBACK" in os.environ:
            raise
        console.say(
            f"internal error: {type(error).__name__}: {error}\nhint: this is a bug; FLEET_TRACEBACK=1 shows where"
        )
        code = console.BUG
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # the reader of our output went away, which is not an error
            if stream is not None:
                stream.flush()
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)
