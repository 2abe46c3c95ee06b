"""Asks the real git which files a checkout holds."""

from __future__ import annotations

import shutil
from pathlib import Path

from generators.tools import program
from generators.tools.binaries import ToolFailed


def files(root: Path) -> list[str] | None:
    """Paths that git keeps or would take, from `root`, sorted; None where there is no git or no checkout of it."""
    git = shutil.which("git")
    if git is None:
        return None
    try:
        found = program.run(Path(git), "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    except ToolFailed:
        return None
    return sorted({path for path in found.split("\0") if path})
