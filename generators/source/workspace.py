"""The checkout: where it is, which clusters it holds, and the files of each."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from generators.errors import wrong
from generators.model.base import CLUSTER_NAME, CLUSTER_NAME_WORDS, did_you_mean

DEFAULTS = "clusters/defaults.yaml"


@dataclass(frozen=True)
class Workspace:
    """A checkout of the monorepo by its root folder."""

    root: Path

    @property
    def clusters(self) -> Path:
        """The folder that holds one folder a cluster."""
        return self.root / "clusters"

    def names(self) -> list[str]:
        """Clusters that have a cluster.yaml, sorted. Folders with a leading dot are work in progress."""
        found = (path.parent.name for path in self.clusters.glob("*/cluster.yaml"))
        return sorted(name for name in found if not name.startswith("."))

    def folder(self, name: str) -> Path:
        """The cluster's folder. Raises FleetError for a name that is none, or a folder that leads out of the tree."""
        if not re.fullmatch(CLUSTER_NAME, name):
            raise wrong(f"clusters/{name}", f"`{name}` is not {CLUSTER_NAME_WORDS}", hint="for example `prod-tokyo`")
        folder = self.clusters / name
        if folder.is_symlink() or self.clusters.is_symlink():
            raise wrong(
                f"clusters/{name}", "is a symbolic link", hint="a cluster is a real folder, so that git holds it"
            )
        return folder

    def existing(self, name: str) -> Path:
        """As `folder`, for a cluster that must exist."""
        folder = self.folder(name)
        file = folder / "cluster.yaml"
        if file.is_symlink() or (file.exists() and not file.is_file()):
            raise wrong(f"clusters/{name}/cluster.yaml", "is not a regular file", hint="git must hold the file itself")
        if not file.exists():
            hint = did_you_mean(name, self.names(), f"`make new-cluster NAME={name}` makes it")
            raise wrong(f"clusters/{name}/cluster.yaml", f"there is no cluster `{name}`", hint=hint)
        return folder

    def overrides(self, name: str) -> frozenset[str]:
        """Apps for which the cluster has a hand-written `values/<app>.yaml`."""
        folder = self.clusters / name / "values"
        if odd := [path.name for path in sorted(folder.glob("*")) if path.suffix != ".yaml" or not path.is_file()]:
            message = "is not a file named <app>.yaml, and nothing reads it"
            raise wrong(f"clusters/{name}/values/{odd[0]}", message, hint="rename or move it")
        return frozenset(path.stem for path in folder.glob("*.yaml"))


def locate(start: Path | None = None) -> Workspace:
    """The checkout around `start` (the current folder), or that FLEET_ROOT names. Raises FleetError outside of one."""
    given = os.environ.get("FLEET_ROOT")
    here = Path(given) if given else (start or Path.cwd())
    for folder in (here,) if given else (here, *here.parents):
        if (folder / DEFAULTS).is_file():
            return Workspace(folder)
    raise wrong(str(here), f"no {DEFAULTS} here or in a folder above", hint="run it inside the monorepo")
