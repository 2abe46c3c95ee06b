"""The git repository that Argo CD follows: this checkout as it stands, rendered with the lab's own address."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from generators.lab.processes import LabFailed
from generators.model.catalog import ROOT_APPLICATION
from generators.output import disk

ROOMS = ("apps", "charts", "clusters", "terraform/dashboards")
"""What Argo CD reads, and what a render needs."""
BRANCH = "main"
_IDENTITY = {
    "GIT_AUTHOR_NAME": "lab",
    "GIT_AUTHOR_EMAIL": "lab@localhost",
    "GIT_COMMITTER_NAME": "lab",
    "GIT_COMMITTER_EMAIL": "lab@localhost",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


@dataclass(frozen=True)
class Repository:
    """A work tree whose every commit Argo CD sees at once."""

    folder: Path

    @property
    def url(self) -> str:
        """What Applications name."""
        return f"file://{self.folder}"

    def commit(self, message: str) -> str:
        """Commits everything in the folder; the commit's id."""
        _git(self.folder, "add", "--all")
        _git(self.folder, "commit", "--quiet", "--allow-empty", f"--message={message}")
        return _git(self.folder, "rev-parse", "HEAD").strip()


def make(checkout: Path, folder: Path) -> Repository:
    """A copy of what a cluster is made from; nothing is committed yet. `folder` must not exist."""
    for room in ROOMS:
        if (checkout / room).is_dir():
            shutil.copytree(checkout / room, folder / room, symlinks=True)
    (folder / "schemas").mkdir(exist_ok=True)
    _git(folder, "init", "--quiet", f"--initial-branch={BRANCH}")
    return Repository(folder)


def leave_out(repository: Repository, cluster: str, apps: Sequence[str]) -> None:
    """Takes the Applications of these apps away, and with them what Argo CD could not fetch here."""
    folder = repository.folder / "clusters" / cluster / disk.GENERATED / "argocd"
    for app in apps:
        if app == ROOT_APPLICATION:
            raise ValueError("the root Application is what syncs the others")
        (folder / f"{app}.yaml").unlink()


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 (no shell; the words are ours)
        ["git", "-C", str(folder), *arguments],  # noqa: S607 (whichever git the user has)
        env={**os.environ, **_IDENTITY},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise LabFailed(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout
