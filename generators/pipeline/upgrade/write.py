"""Makes the changes of an upgrade that stand in the cluster file."""

from __future__ import annotations

from generators.output import disk
from generators.pipeline.fleet import Fleet
from generators.pipeline.upgrade.report import Report
from generators.source import clusters, edit, reader


def write(fleet: Fleet, report: Report) -> bool:
    """Edits the cluster file, keeping comments, order and quotes; False where nothing was to edit.

    Raises FleetError where the file would not be valid, or its other lines would change; then it stays as it was.
    """
    name = report.cluster
    folder, shown = fleet.workspace.existing(name), clusters.shown(name)
    with disk.locked(folder, f"clusters/{name}"):
        before = after = (folder / "cluster.yaml").read_bytes().decode()
        for each in report.edits():
            value = edit.quoted(each.value) if isinstance(each.value, str) else each.value
            after = edit.set_value(after, shown, each.path, value)
        if after != before:
            clusters.check(fleet.workspace, name, reader.parse(after, shown), fleet.defaults, fleet.catalog)
            disk.replace_file(folder / "cluster.yaml", after, shown)
    return after != before
