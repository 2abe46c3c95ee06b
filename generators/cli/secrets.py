"""`fleet secrets`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from generators.cli import console
from generators.cli.options import OutputOption


def _inside(root: Path, file: str) -> str:
    """The file's path from the checkout's root."""
    path = Path(file).absolute()
    if not path.is_file() or not path.is_relative_to(root.absolute()):
        raise typer.BadParameter(f"{file} is not a file of this checkout")
    return path.relative_to(root.absolute()).as_posix()


@console.guarded
def secrets(
    files: Annotated[
        list[str] | None, typer.Argument(help="Files to look at; none means all that git keeps or would take.")
    ] = None,
    output: OutputOption = console.Output.text,
) -> None:
    """Look for access keys, private keys, tokens and Secrets with data in every file of the repository."""
    from generators.errors import FleetError
    from generators.pipeline.secrets import every, scan
    from generators.source.workspace import locate

    root = locate().root
    chosen = sorted({_inside(root, path) for path in files}) if files else every(root)
    problems = scan(root, chosen)
    if output is console.Output.json:
        console.as_json([problem.facts() for problem in problems])
    if problems:
        console.problems(FleetError(problems))
        console.say(f"{console.count(len(problems), 'secret')} in {console.count(len(chosen), 'file')}")
        raise typer.Exit(console.FOUND)
    console.say(f"no secret in {console.count(len(chosen), 'file')}")
