"""The import law, and imports that would slow every start."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fleets import ROOT

PACKAGE = ROOT / "generators"
ALLOWED = {
    "batches": {"model", "tools", "errors"},
    "errors": set(),
    "model": set(),
    "source": {"model", "errors", "data"},
    "renderers": {"model", "errors"},
    "checks": {"model", "errors", "data"},
    "output": {"errors"},
    "kubeflow": {"model", "tools", "errors"},
    "lab": {"pipeline", "source", "model", "output", "tools", "errors"},
    "tools": {"errors"},
    "pipeline": {"source", "model", "renderers", "checks", "output", "tools", "errors"},
    "cli": {
        "batches",
        "pipeline",
        "source",
        "model",
        "renderers",
        "checks",
        "output",
        "tools",
        "kubeflow",
        "lab",
        "errors",
    },
}
"""Room → rooms that it may import. Data flows from source to output; only pipeline and cli see it all."""
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.name == "errors.py")


def rooms(path: Path) -> set[str]:
    """Rooms of this package that a file imports, its own left out."""
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:  # from the folder that so many dots lead to
                above = path.relative_to(PACKAGE.parent).parent.parts[: -node.level + 1 or None]
                module = ".".join((*above, *filter(None, [module])))
            parts = module.split(".")
            if parts[0] == "generators":
                found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("generators.")}
    return found - {own}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_each_room_imports_only_what_the_law_allows(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if own != "data":
        assert rooms(path) <= ALLOWED[own]


def modules(code: str) -> set[str]:
    """Modules that are loaded after `code`, in a fresh Python."""
    script = f"import sys\n{code}\nprint('\\n'.join(sys.modules))"
    return set(
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    )


def test_help_loads_nothing_heavy() -> None:
    heavy = {"pydantic", "ruamel.yaml", "yaml", "rich", "jsonschema_rs", "rjsonnet", "kubernetes_validate"}
    assert not heavy & modules("import generators.cli.main")


def test_only_the_console_prints() -> None:
    for path in FILES:
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        names = {getattr(call.func, "id", getattr(call.func, "attr", "")) for call in calls}
        if path.name != "console.py":
            assert not names & {"print", "echo", "secho"}, path
