"""What every command needs before it looks at a cluster: the checkout, the defaults, the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from generators.errors import FleetError, Problem, wrong
from generators.model.catalog import Catalog, Inputs
from generators.source import catalog, clusters
from generators.source.nodes import Node
from generators.source.workspace import Workspace


@dataclass(frozen=True)
class Fleet:
    """A checkout with everything read that its clusters share."""

    workspace: Workspace
    defaults: Node
    catalog: Catalog

    def load(self, name: str) -> Inputs:
        """One cluster, true to all rules. Raises FleetError."""
        return clusters.load(self.workspace, name, self.defaults, self.catalog)

    def chosen(self, names: Sequence[str], *, everything: bool) -> list[str]:
        """The clusters that a call means, sorted. Raises FleetError with every name that is none."""
        if everything or not names:
            return self.workspace.names()
        problems: list[Problem] = []
        for name in names:
            try:
                self.workspace.existing(name)
            except FleetError as error:
                problems += error.problems
        if problems:
            raise FleetError(problems)
        return sorted(set(names))


def read(workspace: Workspace) -> Fleet:
    """Reads defaults and catalogue. Raises FleetError with the problems of both."""
    problems: list[Problem] = []
    defaults, apps = None, None
    try:
        defaults = clusters.read_defaults(workspace)
    except FleetError as error:
        problems += error.problems
    try:
        apps = catalog.load(workspace)
    except FleetError as error:
        problems += error.problems
    if defaults is None or apps is None:
        raise FleetError(problems)
    if not apps.apps:
        raise wrong("apps", "the catalogue is empty", hint="each app has an apps/<app>/app.yaml")
    return Fleet(workspace, defaults, apps)
