"""Where the command line tools live that this project runs but does not ship: kustomize, kubeconform, Go.

A tool is looked for in the folder that `FLEET_TOOLS` names, then in the cache that `make tools` fills, then
on `PATH`. The cache lies outside the checkout and is keyed by the pinned versions: checkouts of the same
versions share it, others do not meet.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from functools import cache
from pathlib import Path

MODULE = Path(__file__).parents[2] / "tests" / "tools"
"""The Go module that pins the tools; absent where only the package is installed."""

# The only lines of a go.mod that are one indented word, or `tool` and one word, name a tool.
_TOOL = re.compile(r"^(?:tool)?[ \t]+\S+?/([^/\s]+)(?:/v(\d+))?$", re.MULTILINE)
_GO = re.compile(r"^go (\d+)\.(\d+)", re.MULTILINE)


class ToolMissing(Exception):
    """A tool was found nowhere. `name` is the tool, `hint` one line on how to get it."""

    def __init__(self, name: str) -> None:
        self.name, self.hint = name, how_to_get(name)
        super().__init__(f"{name} is not installed")

    def __reduce__(self) -> tuple[type[ToolMissing], tuple[str]]:
        return (ToolMissing, (self.name,))


class ToolFailed(Exception):
    """A tool ran and refused, or is of the wrong version. The text names it and holds its own words."""


def find(name: str) -> Path | None:
    """The absolute path of the program `name`, or None."""
    folders = [
        os.environ.get("FLEET_TOOLS", ""),
        str(cache_folder() or ""),
        os.environ.get("PATH", os.defpath),
    ]
    found = shutil.which(name, path=os.pathsep.join(filter(None, folders)))
    return Path(found).absolute() if found else None


def require(name: str) -> Path:
    """As `find`, but raises ToolMissing."""
    found = find(name)
    if found is None:
        raise ToolMissing(name)
    return found


def how_to_get(name: str) -> str:
    """One line that says how to get the program `name`."""
    go = ".".join(map(str, go_needed() or ()))
    if name == "go":
        return f"install Go {go or '(any recent version)'} or newer: https://go.dev/dl/"
    major = pinned().get(name, "")
    on_path = f"put {name} {major}".rstrip() + " on PATH"
    return f"run `make tools` (needs Go {go} or newer), or {on_path}" if name in pinned() else on_path


def cache_folder() -> Path | None:
    """The folder for the pinned tools, `.../inference-fleet/tools/KEY`; None without the Go module.

    It need not exist. KEY is taken from `go.mod` and `go.sum`, so another version is another folder.
    """
    key = _key()
    return _caches() / "inference-fleet" / "tools" / key if key else None


@cache
def pinned() -> dict[str, str]:
    """The tools that `make tools` builds: name to major version ("" where its Go package names none)."""
    return dict(_TOOL.findall(_go_mod()))


@cache
def go_needed() -> tuple[int, int] | None:
    """The oldest Go, as (major, minor), that can build the tools; None without the Go module."""
    found = _GO.search(_go_mod())
    return (int(found[1]), int(found[2])) if found else None


@cache
def _go_mod() -> str:
    file = MODULE / "go.mod"
    return file.read_text(encoding="utf-8") if file.is_file() else ""


@cache
def _key() -> str:
    if not _go_mod():
        return ""
    return hashlib.sha256(b"".join((MODULE / name).read_bytes() for name in ("go.mod", "go.sum"))).hexdigest()[:12]


def _caches() -> Path:
    configured = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification tells programs to ignore a relative path here.
    return Path(configured) if configured.startswith("/") else Path.home() / ".cache"
