"""Where the command line tools live that this project runs but does not ship: kustomize, kubectl, helm, Go and others.

A tool is looked for in the folder that `FLEET_TOOLS` names, a control plane also in that of `KUBEBUILDER_ASSETS`, then
in the caches that `make tools` and `make control-plane` fill, then on `PATH`. A cache lies outside the checkout and is
keyed by the pinned versions: checkouts of the same versions share it, others do not meet.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[2] / "tests"
# The only lines of a go.mod that are one indented word, or `tool` and one word, name a tool.
_TOOL = re.compile(r"^(?:tool)?[ \t]+(\S+?/([^/\s]+)(?:/v(\d+))?)$", re.MULTILINE)
_GO = re.compile(r"^go (\d+)\.(\d+)", re.MULTILINE)
ENVTEST = "KUBEBUILDER_ASSETS"
"""Names the folder of a control plane that a person has already, as for controller-runtime's envtest."""
ENVTEST_PROGRAMS = frozenset({"etcd", "kube-apiserver", "kubectl"})


@dataclass(frozen=True)
class Module:
    """A Go module that pins tools; its folder is absent where only the package is installed."""

    folder: Path
    target: str
    """What `make` calls building it, and the name of its cache."""
    first_time: str
    """How long the first build takes on two cores, in words."""
    made_with: str = ""
    """The other target of `make` that builds it too, where it has none of its own."""

    @property
    def make(self) -> str:
        """The target of `make` that builds it."""
        return self.made_with or self.target

    def pinned(self) -> dict[str, str]:
        """The tools that are pinned: name to major version ("" where its Go package names none)."""
        return {name: major for _, name, major in _TOOL.findall(_go_mod(self))}

    def to_build(self) -> dict[str, str]:
        """Of these, the ones that nobody brought along: name to Go package."""
        return {name: package for package, name, _ in _TOOL.findall(_go_mod(self)) if not brought(name)}

    def go_needed(self) -> tuple[int, int] | None:
        """The oldest Go, as (major, minor), that can build the tools; None without the Go module."""
        found = _GO.search(_go_mod(self))
        return (int(found[1]), int(found[2])) if found else None

    def kubernetes(self) -> str:
        """The version of Kubernetes among the tools, as in 1.36.3; "" without one."""
        return self.version("k8s.io/kubernetes")

    def version(self, path: str) -> str:
        """The pinned version of a Go module without its `v`; "" where it is not among them."""
        found = re.search(rf"\b{re.escape(path)} v(\S+)", _go_mod(self))
        return found[1] if found else ""

    def cache_folder(self) -> Path | None:
        """The folder for the pinned tools, `.../inference-fleet/TARGET/KEY`; None without the Go module.

        It need not exist. KEY is taken from `go.mod` and `go.sum`, so another version is another folder.
        """
        key = _key(self)
        return _caches() / "inference-fleet" / self.target / key if key else None


TOOLS = Module(TESTS / "tools", "tools", "half a minute")
CONTROL_PLANE = Module(TESTS / "control-plane", "control-plane", "some ten minutes")
DNS = Module(TESTS / "dns", "dns", "half a minute after the control plane", CONTROL_PLANE.target)
MODULES = (TOOLS, CONTROL_PLANE, DNS)


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
        os.environ.get(ENVTEST, "") if name in ENVTEST_PROGRAMS else "",
        *(str(module.cache_folder() or "") for module in MODULES),
        os.environ.get("PATH", os.defpath),
    ]
    found = shutil.which(name, path=os.pathsep.join(filter(None, folders)))
    return Path(found).absolute() if found else None


def brought(name: str) -> Path | None:
    """The program where a person brought it in the folder of `KUBEBUILDER_ASSETS`, or None."""
    folder = os.environ.get(ENVTEST, "")
    found = shutil.which(name, path=folder) if folder and name in ENVTEST_PROGRAMS else None
    return Path(found).absolute() if found else None


def require(name: str) -> Path:
    """As `find`, but raises ToolMissing."""
    found = find(name)
    if found is None:
        raise ToolMissing(name)
    return found


def how_to_get(name: str) -> str:
    """One line that says how to get the program `name`."""
    if name == "go":
        return f"install Go {_go(TOOLS) or '(any recent version)'} or newer: https://go.dev/dl/"
    for module in MODULES:
        if name in module.pinned():
            on_path = f"put {name} {module.pinned()[name]}".rstrip() + " on PATH"
            return f"run `make {module.make}` (needs Go {_go(module)} or newer), or {on_path}"
    return f"put {name} on PATH"


def _go(module: Module) -> str:
    return ".".join(map(str, module.go_needed() or ()))


@cache
def _go_mod(module: Module) -> str:
    file = module.folder / "go.mod"
    return file.read_text(encoding="utf-8") if file.is_file() else ""


@cache
def _key(module: Module) -> str:
    if not _go_mod(module):
        return ""
    return hashlib.sha256(b"".join((module.folder / name).read_bytes() for name in ("go.mod", "go.sum"))).hexdigest()[
        :12
    ]


def _caches() -> Path:
    configured = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification tells programs to ignore a relative path here.
    return Path(configured) if configured.startswith("/") else Path.home() / ".cache"
