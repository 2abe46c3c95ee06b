"""The programs that a lab needs, and where their logs go when it is over."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from generators.lab import control_plane

PROGRAMS = (*control_plane.PROGRAMS, "argocd", "kustomize", "helm", "redis-server", "git")
SYNCED_WITHIN = 480.0
"""Seconds; a hundred are usual."""
LOGS = Path(os.environ.get("FLEET_E2E_LOGS", tempfile.gettempdir())) / "inference-fleet-e2e"


def keep_logs(lab_folder: Path, name: str) -> None:
    """Copies each program's log to where it outlives the lab."""
    shutil.copytree(lab_folder / "logs", LOGS / name, dirs_exist_ok=True)
