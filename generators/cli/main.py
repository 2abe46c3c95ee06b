"""The command line: every command in one list."""

from __future__ import annotations

import typer

from generators.cli import change, inspect, new, render, schema, validate

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


@app.callback()
def root() -> None:
    """Hold the commands as subcommands, however few there are."""


def main() -> None:
    """Entry point of the console script."""
    app()
