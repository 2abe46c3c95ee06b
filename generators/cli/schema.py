"""`fleet schema`."""

from __future__ import annotations

from typing import Annotated

import typer

from generators.cli import console


@console.guarded
def schema(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if a schema is out of date.")] = False,
) -> None:
    """Write the JSON Schemas of the hand-written files into schemas/, for editors."""
    from generators.output.disk import holds, replace_file
    from generators.pipeline import fleet, schemas
    from generators.source.workspace import locate

    workspace = locate()
    folder = workspace.root / "schemas"
    wanted = schemas.texts(fleet.read(workspace))
    stale = [name for name, text in wanted.items() if not holds(folder / name, text)]
    if check and stale:
        console.say(f"schemas/ is out of date ({', '.join(stale)}); mend it with: fleet schema")
        raise typer.Exit(console.FOUND)
    for name in stale:
        replace_file(folder / name, wanted[name], f"schemas/{name}")
    console.say(f"schemas/: {len(stale)} of {len(wanted)} written" if stale else "schemas/: all up to date")
