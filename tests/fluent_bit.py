"""A strict reader of Fluent Bit's classic configuration: sections, keys, and what refers to what.

It stands in for Fluent Bit's own `--dry-run`: no package registry has the program. What it knows of keys was read in
the source; a real Fluent Bit 5.1.1 was asked by hand, and agreed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

KNOWN: dict[str, Any] = json.loads((Path(__file__).parent / "fluent_bit_keys.json").read_text())
MULTILINE_PARSERS = {"docker", "cri", "go", "java", "python", "ruby"}
"""Those that are built in (src/multiline/flb_ml_parser_*.c)."""
MAIN = "fluent-bit.conf"


@dataclass
class Section:
    """One section: its kind in small letters, and its keys as they stand, in order."""

    kind: str
    entries: list[tuple[str, str]] = field(default_factory=list)

    def get(self, key: str, otherwise: str = "") -> str:
        """The value of a key, whatever its case."""
        return next((value for name, value in self.entries if name.lower() == key.lower()), otherwise)

    def all(self, key: str) -> list[str]:
        """Every value of a key that may come more than once."""
        return [value for name, value in self.entries if name.lower() == key.lower()]

    @property
    def title(self) -> str:
        """What an error calls it."""
        return f"[{self.kind.upper()}] {self.get('alias') or self.get('name')}".strip()


def sections(files: dict[str, str], name: str = MAIN) -> list[Section]:
    """All sections of a file and of those that it includes. Raises ValueError for what is none of a section."""
    found: list[Section] = []
    for number, line in enumerate(files[name].splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if text.startswith("@INCLUDE "):
            included = text.removeprefix("@INCLUDE ")
            if included not in files:
                raise ValueError(f"{name}:{number}: includes {included}, which is not there")
            found += sections(files, included)
        elif heading := re.fullmatch(r"\[([A-Z]+)\]", line):
            found.append(Section(heading[1].lower()))
        elif (entry := re.fullmatch(r" {4}(\S+)\s+(\S.*)", line)) and found:
            found[-1].entries.append((entry[1], entry[2]))
        else:
            raise ValueError(f"{name}:{number}: is neither a section nor a key with a value: {line!r}")
    return found


def problems(files: dict[str, str], environment: set[str]) -> list[str]:
    """What Fluent Bit would refuse, or take and never use."""
    found = sections(files)
    return [
        *(problem for section in found for problem in _keys(section)),
        *_routes(found),
        *_references(found, files),
        *_unset(files, environment),
    ]


def _keys(section: Section) -> Iterator[str]:
    if section.kind == "service":
        allowed = set(KNOWN["service"])
    else:
        plugins = KNOWN.get(section.kind, {})
        if section.get("name") not in plugins:
            yield f"{section.title}: no such plugin"
            return
        allowed = {"name", *KNOWN["any"][section.kind], *plugins[section.get("name")]}
    for key, _ in section.entries:
        if key.lower() not in allowed:
            yield f"{section.title}: no such key: {key}"


def _routes(found: list[Section]) -> Iterator[str]:
    """Every record has one way out, and every filter and output sees some."""
    tags = {section.title: section.get("tag") for section in found if section.kind == "input"}
    tags |= {section.title: _new_tag(section) for section in found if section.get("rule")}
    outputs = [section for section in found if section.kind == "output"]
    for title, tag in tags.items():
        ways = [section.title for section in outputs if fnmatchcase(tag, section.get("match"))]
        if len(ways) != 1:
            yield f"{title}: its tag {tag} goes to {len(ways)} outputs"
    for section in found:
        match = section.get("match")
        # A filter may look at a part of what an input brings.
        seen = [tag for tag in tags.values() if fnmatchcase(tag, match) or fnmatchcase(match, tag)]
        if section.kind in {"filter", "output"} and not seen:
            yield f"{section.title}: no input has a tag like {match}"


def _new_tag(section: Section) -> str:
    """What a rewriting filter's rule, `KEY PATTERN TAG KEEP`, makes of the tags that it sees."""
    return section.get("rule").split()[2].replace("$TAG", section.get("match"))


def _references(found: list[Section], files: dict[str, str]) -> Iterator[str]:
    service = next(section for section in found if section.kind == "service")
    state = service.get("storage.path").rpartition("/")[0]
    databases: set[str] = set()
    for section in found:
        if "filesystem" in {section.get("storage.type"), section.get("emitter_storage.type")} and not state:
            yield f"{section.title}: has no storage.path to buffer in"
        if (database := section.get("db")) and (database in databases or not database.startswith(f"{state}/")):
            yield f"{section.title}: its DB {database} is another's, or lost with the pod"
        databases.add(section.get("db"))
        for parser in section.get("multiline.parser").split(","):
            if parser.strip() and parser.strip() not in MULTILINE_PARSERS:
                yield f"{section.title}: no such multiline parser: {parser.strip()}"
        for parser in (section.get("parser"), section.get("merge_parser")):
            if parser and parser not in [each.get("name") for each in found if each.kind == "parser"]:
                yield f"{section.title}: no such parser: {parser}"
        if (script := section.get("script")) and script.removeprefix("/fluent-bit/etc/") not in files:
            yield f"{section.title}: no such script: {script}"
        if section.get("name") == "kubernetes":
            yield from _tag_prefix(section, found)


def _tag_prefix(section: Section, found: list[Section]) -> Iterator[str]:
    """tail makes the tag of the file's path; what comes before the pod's name must be what the filter cuts off."""
    for each in found:
        if each.get("name") == "tail" and fnmatchcase(each.get("tag"), section.get("match")):
            folder = each.get("path").rpartition("/")[0].replace("/", ".")
            made = each.get("tag").removesuffix("*") + folder.removeprefix(".") + "."
            if made != section.get("kube_tag_prefix"):
                yield f"{section.title}: Kube_Tag_Prefix is not {made}"


def _unset(files: dict[str, str], environment: set[str]) -> Iterator[str]:
    for name, text in files.items():
        for variable in sorted(set(re.findall(r"\$\{(\w+)\}", text)) - environment):
            yield f"{name}: nobody sets {variable}"
