"""A control plane that a person has already: what `KUBEBUILDER_ASSETS` holds is taken, and not built."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from generators.tools import binaries, program
from generators.tools.binaries import ENVTEST, Module

_ASKED = {"etcd": ("--version",), "kube-apiserver": ("--version",), "kubectl": ("version", "--client")}
_VERSION = re.compile(r"\bv?(\d+\.\d+\.\d+)")


def told(module: Module) -> Iterator[str]:
    """A line for each program that is taken: where it is, and its version where that is not the pinned one.

    Raises ToolFailed where one does not even tell its version.
    """
    for name in sorted(module.pinned()):
        file = binaries.brought(name)
        if file:
            yield f"taken from {ENVTEST}, not built: {file}{_difference(module, name, file)}"


def _difference(module: Module, name: str, file: Path) -> str:
    found, wanted = version(name, file), _pinned(module, name)
    return f", which is {found}" if found == wanted else f", which is {found or 'of an unknown version'}, not {wanted}"


def version(name: str, file: Path) -> str:
    """What the program says that it is, as in 1.36.3; "" where it says nothing that looks like a version."""
    found = _VERSION.search(program.run(file, *_ASKED[name]))
    return found[1] if found else ""


def _pinned(module: Module, name: str) -> str:
    return module.version("go.etcd.io/etcd/server/v3") if name == "etcd" else module.kubernetes()
