"""For tests that run a real tool."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from generators.tools.binaries import find, how_to_get


def needed(name: str) -> Path:
    """The tool; where it is missing, the test is skipped, but in CI (env `CI`) it fails. Both say how to get it."""
    found = find(name)
    if found:
        return found
    message = f"{name} is missing: {how_to_get(name)}"
    if os.environ.get("CI"):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)
