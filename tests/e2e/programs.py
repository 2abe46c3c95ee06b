"""The programs that a lab needs, and where their logs go when it is over."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from generators.lab import control_plane
from generators.tools.binaries import find, how_to_get

PROGRAMS = (*control_plane.PROGRAMS, "argocd", "kustomize", "helm", "redis-server", "git")
SYNCED_WITHIN = 480.0
"""Seconds; a hundred are usual."""
LOGS = Path(os.environ.get("FLEET_E2E_LOGS", tempfile.gettempdir())) / "inference-fleet-e2e"


def keep_logs(lab_folder: Path, name: str) -> None:
    """Copies each program's log to where it outlives the lab."""
    shutil.copytree(lab_folder / "logs", LOGS / name, dirs_exist_ok=True)


def main() -> int:
    """Says which programs a run would miss and how to get them; exit code 1 where there are any."""
    missing = [program for program in PROGRAMS if find(program) is None]
    for program in missing:
        sys.stderr.write(f"{program} is missing: {how_to_get(program)}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
