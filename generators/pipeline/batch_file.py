"""A batch that goes to git: into the cluster file, as a guest there, and into what is rendered from it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from generators.errors import FleetError
from generators.model import names
from generators.output import disk
from generators.output.text import texts
from generators.pipeline import batches
from generators.pipeline.fleet import Fleet
from generators.pipeline.render import render_cluster
from generators.renderers import batch as jobs
from generators.renderers import render
from generators.source import clusters, edit, reader


@dataclass(frozen=True)
class Added:
    """What an order became in git: the batch's name, its object's name, and the cluster file with it."""

    batch: str
    object: str
    before: str
    after: str
    rights: bool
    """Whether the workers' role must reach other prefixes of the bucket than before."""

    def diff(self, file: str) -> str:
        """The edit, as a unified diff."""
        texts = (self.before.splitlines(), self.after.splitlines())
        return "\n".join(difflib.unified_diff(*texts, f"a/{file}", f"b/{file}", lineterm=""))


def planned(fleet: Fleet, order: batches.Order) -> Added:
    """The edit, of which nothing is written. Raises FleetError for a mistake, and where it would not render."""
    shown = clusters.shown(order.cluster)
    before = _text(fleet, order.cluster)
    found = batches.checked(fleet, order)
    after = edit.set_value(before, shown, (*batches.JOBS, found.name), found.fields)
    inputs = clusters.check(fleet.workspace, order.cluster, reader.parse(after, shown), fleet.defaults, fleet.catalog)
    texts(render(inputs), order.cluster)
    [made] = [each for each, batch in jobs.in_git(inputs).items() if batch == found.name]
    rights = names.batch_prefixes(inputs.cluster) != names.batch_prefixes(fleet.load(order.cluster).cluster)
    return Added(found.name, made, before, after, rights)


def add(fleet: Fleet, order: batches.Order) -> Added:
    """Writes the edit, then what follows from it. Raises FleetError, and has then written nothing."""
    folder, shown = fleet.workspace.existing(order.cluster), clusters.shown(order.cluster)
    with disk.locked(folder, f"clusters/{order.cluster}"):
        added = planned(fleet, order)
        disk.guard(folder, f"clusters/{order.cluster}")
        disk.replace_file(folder / "cluster.yaml", added.after, shown)
    if problems := render_cluster(fleet, order.cluster, "write").problems:
        raise FleetError(problems)
    return added


def _text(fleet: Fleet, cluster: str) -> str:
    file = fleet.workspace.existing(cluster) / "cluster.yaml"
    reader.read(file, clusters.shown(cluster))
    return file.read_bytes().decode()  # not read_text, which would make CRLF into LF
