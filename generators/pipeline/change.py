"""Changes and removes clusters: one key of a cluster.yaml, or a whole folder."""

from __future__ import annotations

from generators.errors import FleetError, wrong
from generators.output import disk
from generators.pipeline.fleet import Fleet
from generators.source import clusters, edit, reader


def set_key(fleet: Fleet, name: str, key: str, value: str) -> bool:
    """Sets one key and keeps everything else as it stands; False where it held the value already.

    A value that YAML reads as a number, where the key takes a text, is written as a text. Raises FleetError for a
    value that breaks a rule, and then changes nothing.
    """
    folder = fleet.workspace.existing(name)
    path = edit.parse_path(key)
    shown = clusters.shown(name)
    with disk.locked(folder, f"clusters/{name}"):
        file = folder / "cluster.yaml"
        reader.read(file, shown)
        before = file.read_bytes().decode()  # not read_text, which would make CRLF into LF
        after = _edited(fleet, name, before, path, value)
        if after != before:
            disk.replace_file(file, after, shown)
        return after != before


def _edited(fleet: Fleet, name: str, before: str, path: edit.Path, value: str) -> str:
    """The first way of writing the value that makes a valid cluster: as YAML reads it, or as a text."""
    shown = clusters.shown(name)
    first: FleetError | None = None
    for candidate in (edit.parse_value(value), edit.quoted(value)):
        try:
            after = edit.set_value(before, shown, path, candidate)
            clusters.check(fleet.workspace, name, reader.parse(after, shown), fleet.defaults, fleet.catalog)
        except FleetError as error:
            first = first or error
        else:
            return after
    assert first is not None  # noqa: S101 - both candidates failed
    raise first


def delete(fleet: Fleet, name: str, confirmed: str) -> None:
    """Removes the cluster's folder, once the name has been given twice. Raises FleetError."""
    folder = fleet.workspace.existing(name)
    if confirmed != name:
        what = "the confirmation is empty" if not confirmed else f"the confirmation says `{confirmed}`"
        hint = f"`fleet delete {name} --confirm {name}` removes clusters/{name}/ with all hand-written files in it"
        raise wrong(f"clusters/{name}", f"is not removed: {what}", hint=hint)
    with disk.locked(folder, f"clusters/{name}"):
        disk.remove_folder(folder, f"clusters/{name}")
