"""Makes the table of API versions that Kubernetes removes: `python -m generators.tools.lifecycle [--check]`.

The source are the marks that Kubernetes' own types carry, inside pinned versions of its Go module k8s.io/api. The
result is `generators/data/api_lifecycle.json`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from generators.tools.binaries import ToolFailed, ToolMissing
from generators.tools.crds import Module, folder

FILE = Path(__file__).parents[1] / "data" / "api_lifecycle.json"
COMMAND = "python -m generators.tools.lifecycle"
MODULES = (
    Module(
        path="k8s.io/api",
        version="v0.37.2",
        sum="h1:PnxqnUFy93jr2GcpWDkKOm8wfy25kT9wa572MuQS8oc=",
        licence="Apache-2.0",
    ),
    # The newer one has forgotten what was gone long before it, such as autoscaling/v2beta2.
    Module(
        path="k8s.io/api",
        version="v0.25.16",
        sum="h1:6VsSxn0vCdHuAVh82EZCKoM457LuUpQQb6YXfQunz7Q=",
        licence="Apache-2.0",
    ),
)
"""The first one that knows a kind decides."""

_MARKS = "zz_generated.prerelease-lifecycle.go"
_MARK = re.compile(r"^func \(in \*(\w+)\) APILifecycle(\w+)\(\) [^\n]*\{\n\s*return ([^\n]*)\n", re.MULTILINE)
_GROUP = re.compile(r'^const GroupName = "([^"]*)"', re.MULTILINE)
_VERSION = re.compile(r'SchemeGroupVersion = [^\n]*Version: "([^"]+)"')
_SUCCESSOR = re.compile(r'Group: "([^"]*)", Version: "([^"]+)"')
_STABLE = re.compile(r"v\d+")

Marks = dict[str, str]
Table = dict[tuple[str, str], Marks]
"""(apiVersion, kind) → `introduced`, `deprecated`, `removed` (minors) and `replacement` (apiVersion)."""


def main(arguments: list[str]) -> int:
    """Writes, or compares (`--check`). Exit code: 0 well, 1 the file differs, 2 it could not be done."""
    if arguments not in ([], ["--check"]):
        return _say(f"error: usage: {COMMAND} [--check]", 2)
    try:
        made = text(table())
    except (ToolMissing, ToolFailed) as error:
        return _say(f"error: {error}", 2)
    if arguments:
        same = FILE.is_file() and FILE.read_text(encoding="utf-8") == made
        return 0 if same else _say(f"error: {FILE}: not as {COMMAND} makes it\nhint: run `{COMMAND}`", 1)
    FILE.write_text(made, encoding="utf-8")
    return _say(f"wrote {FILE}", 0)


def table() -> Table:
    """Every kind that the modules mark. Raises ToolMissing or ToolFailed where a module cannot be had."""
    found: Table = {}
    for module in MODULES:
        found = dict(_module(folder(module))) | found
    return found


def text(found: Table) -> str:
    """The file: kinds that are deprecated or removed in some minor, one a line."""
    rows = [
        f' "{version} {kind}": {json.dumps(marks | _successor(found, version, kind, marks))}'
        for (version, kind), marks in sorted(found.items())
        if "removed" in marks or "deprecated" in marks
    ]
    meta = {
        "about": "API versions of Kubernetes: the minors that introduce, deprecate and remove each, and its successor",
        "made_by": COMMAND,
        "sources": [f"{module} ({module.licence}), {_MARKS}" for module in MODULES],
    }
    lines = ",\n".join(rows)
    return f'{{\n"meta": {json.dumps(meta, indent=1)},\n"apis": {{\n{lines}\n}}\n}}\n'


def _module(root: Path) -> Iterator[tuple[tuple[str, str], Marks]]:
    for file in sorted(root.rglob(_MARKS)):
        register = (file.parent / "register.go").read_text(encoding="utf-8")
        group, version = _GROUP.search(register), _VERSION.search(register)
        if group is None or version is None:
            raise ToolFailed(f"{file.parent}: register.go names no group and version")
        api = f"{group[1]}/{version[1]}".removeprefix("/")
        kinds: dict[str, Marks] = {}
        for kind, mark, value in _MARK.findall(file.read_text(encoding="utf-8")):
            kinds.setdefault(kind, {})[mark.lower()] = _value(value)
        yield from (((api, kind), marks) for kind, marks in kinds.items() if not kind.endswith("List"))


def _value(text: str) -> str:
    """`1, 25` → 1.25; a GroupVersionKind → its apiVersion."""
    if successor := _SUCCESSOR.search(text):
        return f"{successor[1]}/{successor[2]}".removeprefix("/")
    return text.replace(", ", ".")


def _successor(found: Table, api: str, kind: str, marks: Marks) -> Marks:
    """What the marks name; else the stable version of the same group that knows the kind."""
    group = api.rpartition("/")[0]
    if "replacement" in marks:
        return {}
    versions = [other for other, same in found if same == kind and other.rpartition("/")[0] == group]
    stable = [other for other in versions if _STABLE.fullmatch(other.rpartition("/")[2])]
    return {"replacement": stable[0]} if stable else {}


def _say(text: str, code: int) -> int:
    sys.stderr.write(f"{text}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
