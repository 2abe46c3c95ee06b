"""Looks for secrets in every file that git keeps, or would take."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from generators.checks import secrets
from generators.errors import Place, Problem, wrong
from generators.tools import git

LARGEST = 20_000_000
"""Bytes of the largest file that is read; git hosts refuse files of five times that."""


def scan(root: Path, files: Sequence[str]) -> list[Problem]:
    """Every secret in these files, paths from `root`, in file order. Raises FleetError for what cannot be read."""
    return [problem for path in files for problem in _in_file(root, path)]


def _in_file(root: Path, path: str) -> Iterator[Problem]:
    text = _text(root / path, path)
    for line, column, finding in secrets.findings(path, text):
        yield Problem(Place(path, line, column), finding.message, hint=finding.hint)


def _text(file: Path, path: str) -> str:
    """The file's text, byte by byte where it is none: a key within a binary file is a key. Links lead elsewhere."""
    try:
        if file.is_symlink() or not file.is_file():
            return ""
        if file.stat().st_size > LARGEST:
            raise wrong(path, f"has more than {LARGEST:,} bytes, and nobody looked for secrets in it")
        data = file.read_bytes()
    except OSError as error:
        raise wrong(path, f"cannot be read: {error.strerror}") from None
    return data.decode("utf-8", "surrogateescape")


def every(root: Path) -> list[str]:
    """The files that git keeps or would take. Without git: all files, but for the folders that .gitignore names."""
    found = git.files(root)
    return sorted(_walk(root)) if found is None else found


def _walk(root: Path) -> Iterator[str]:
    ignore = root / ".gitignore"
    lines = ignore.read_text(encoding="utf-8").splitlines() if ignore.is_file() else []
    left_out = {".git", *(line.rstrip("/") for line in lines if line.endswith("/"))}
    for folder, folders, names in os.walk(root):
        folders[:] = set(folders) - left_out
        yield from (Path(folder, name).relative_to(root).as_posix() for name in names)
