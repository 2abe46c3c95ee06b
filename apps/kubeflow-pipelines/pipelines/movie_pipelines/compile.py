"""Writes what a cluster reads: `python -m movie_pipelines.compile [--check]`, which `fleet pipelines compile` calls.

Exit codes: 0 fine; 1 with --check, where what is committed is not what the sources say, with a diff.
"""

import difflib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "compiled"


def compiled() -> dict[str, str]:
    """File names and texts of all pipelines."""
    from kfp import compiler

    from movie_pipelines.catalogue import PIPELINES

    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        for pipeline in PIPELINES:
            name = f"{pipeline.name}.yaml"
            compiler.Compiler().compile(pipeline, f"{scratch}/{name}")
            found[name] = Path(scratch, name).read_text(encoding="utf-8")
    return found


def differences(wanted: dict[str, str], folder: Path) -> Iterator[str]:
    """Lines of a unified diff from what is committed to what is wanted; files that nothing makes any more included."""
    there = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.yaml")}
    for name in sorted(there.keys() | wanted.keys()):
        old, new = (texts.get(name, "").splitlines(keepends=True) for texts in (there, wanted))
        yield from difflib.unified_diff(old, new, f"a/{name}", f"b/{name}")


def write(wanted: dict[str, str], folder: Path) -> None:
    """Makes the folder hold these files and no other pipeline."""
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.yaml"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")


def main() -> int:
    """The command."""
    wanted = compiled()
    if "--check" not in sys.argv[1:]:
        write(wanted, FOLDER)
        return 0
    found = list(differences(wanted, FOLDER))
    sys.stdout.writelines(found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
