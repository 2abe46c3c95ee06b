"""Formats jsonnet in place, as `make fmt` does: every file under `apps/` and `terraform/`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from generators.tools.binaries import ToolMissing, require

ROOMS = ("apps", "terraform")


def files(root: Path) -> Iterator[Path]:
    """The jsonnet files of a checkout, in order."""
    for room in ROOMS:
        yield from sorted(path for path in (root / room).rglob("*sonnet") if path.suffix in {".jsonnet", ".libsonnet"})


def main(root: Path) -> int:
    """jsonnetfmt's exit code; without it, 0 and one line on how to get it."""
    try:
        program = require("jsonnetfmt")
    except ToolMissing as missing:
        sys.stderr.write(f"jsonnet is left as it is: {missing}; {missing.hint}\n")
        return 0
    return subprocess.run([program, "-i", *files(root)], check=False).returncode  # noqa: S603 (no shell; the words are ours)


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
