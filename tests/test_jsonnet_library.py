"""apps/lib: its own tests, which lie beside it, and what it says where a call is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import rjsonnet

from tests.fleets import ROOT

LIBRARY = ROOT / "apps" / "lib"


def load(folder: str, relative: str) -> tuple[str, str]:
    """For jsonnet's imports, from the library's folder on."""
    file = (Path(folder) / relative).resolve()
    return str(file), file.read_text(encoding="utf-8")


def evaluate(snippet: str) -> dict[str, bool]:
    found: dict[str, bool] = json.loads(rjsonnet.evaluate_snippet("main", snippet, import_callback=load))
    return found


def test_what_the_library_promises() -> None:
    file = LIBRARY / "tests" / "library.jsonnet"
    found = evaluate(f"import '{file}'")
    assert len(found) >= 10
    assert [promise for promise, kept in found.items() if kept is not True] == []


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            "(import 'batch.libsonnet').IndexedSpec({ completions: 2, maxFailed: 1 })",
            "IndexedSpec: `parallelism` is required",
        ),
        (
            "(import 'batch.libsonnet').IndexedSpec({ completions: 2, parallelism: 3, maxFailed: 1 })",
            "IndexedSpec: `parallelism` 3 is more than `completions` 2",
        ),
        ("(import 'kube.libsonnet').Service({ name: 'a', namespace: 'a' })", "Service: `labels` is required"),
        ("(import 'aws.libsonnet').roleAnnotations('prod')", "`prod` is not the ARN of an IAM role"),
    ],
)
def test_a_wrong_call_is_told_by_name(call: str, said: str) -> None:
    with pytest.raises(RuntimeError) as caught:
        evaluate(call.replace("import '", f"import '{LIBRARY}/"))
    assert said in str(caught.value)
