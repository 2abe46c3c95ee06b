"""A Helm chart as it is packed: its Chart.yaml and the values that it starts from. Nothing is unpacked to disk."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from generators.errors import wrong
from generators.source.reader import MAX_BYTES

_LICENCE = "artifacthub.io/license"


@dataclass(frozen=True)
class Packed:
    """Name, version and default values of a chart; `licence` is an SPDX identifier, "" where the chart names none."""

    name: str
    version: str
    licence: str
    values: dict[str, Any]


def read(path: Path) -> Packed:
    """The chart in an archive (.tgz) or a folder. Raises FleetError for what is no chart."""
    shown = str(path)
    if not path.exists():
        raise wrong(shown, "there is no such archive or folder", hint="`helm pull` makes one: NAME-VERSION.tgz")
    texts = _folder(path) if path.is_dir() else _archive(path, shown)
    about, values = (_mapping(texts.get(name), f"{shown}: {name}") for name in ("Chart.yaml", "values.yaml"))
    if not isinstance(about.get("name"), str) or "version" not in about:
        raise wrong(shown, "its Chart.yaml names no chart and version", hint="is it a Helm chart?")
    licence = (about.get("annotations") or {}).get(_LICENCE, "")
    return Packed(about["name"], str(about["version"]), str(licence), values)


def kinds(values: dict[str, Any], above: str = "") -> dict[str, str]:
    """Every path of the values → `string`, `int`, `bool`, `float`, `list`, `map`, `map (open)` or `null (unset)`."""
    found: dict[str, str] = {}
    for key, value in values.items():
        path = f"{above}{key}"
        found[path] = _kind(value)
        if isinstance(value, dict):
            found |= kinds(value, f"{path}.")
    return found


def _kind(value: object) -> str:
    if value is None:
        return "null (unset)"
    if isinstance(value, dict):
        return "map" if value else "map (open)"
    # In this order, as a bool is an int too.
    names = {bool: "bool", int: "int", float: "float", list: "list"}
    return next((name for kind, name in names.items() if isinstance(value, kind)), "string")


def _folder(path: Path) -> dict[str, bytes]:
    return {name: (path / name).read_bytes() for name in ("Chart.yaml", "values.yaml") if (path / name).is_file()}


def _archive(path: Path, shown: str) -> dict[str, bytes]:
    """The two files at the top of the chart: those of charts within it lie deeper."""
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                folder, _, name = member.name.removeprefix("./").partition("/")
                if folder and name in ("Chart.yaml", "values.yaml") and member.isfile() and member.size <= MAX_BYTES:
                    content = archive.extractfile(member)
                    found[name] = content.read() if content else b""
    except (tarfile.TarError, EOFError, OSError) as error:
        raise wrong(shown, f"is not an archive of a chart: {error}", hint="`helm pull` makes one") from None
    return found


def _mapping(text: bytes | None, shown: str) -> dict[str, Any]:
    if text is None and shown.endswith("values.yaml"):
        return {}
    try:
        found = yaml.load(text or b"", Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise wrong(shown, f"is not YAML: {' '.join(str(error).split())}") from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise wrong(shown, "is not a mapping", hint="is it a Helm chart?")
    return found
