"""What a render would change: added, changed, stale and unchanged files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Plan:
    """Paths below the generated folder, each list sorted. `before` holds old texts of changed and stale files."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    before: dict[str, str] = field(default_factory=dict)

    @property
    def differs(self) -> bool:
        """Whether anything is to do."""
        return bool(self.added or self.changed or self.stale)


def compare(folder: Path, texts: Mapping[str, str]) -> Plan:
    """The plan that makes `folder` hold `texts` and nothing else. Raises OSError."""
    found = {path: (folder / path).read_bytes() for path in files(folder)}
    plan = Plan(stale=sorted(set(found) - set(texts)))
    for path, text in sorted(texts.items()):
        old = found.get(path)
        kind = plan.added if old is None else plan.same if old == text.encode() else plan.changed
        kind.append(path)
    plan.before.update({path: found[path].decode("utf-8", "replace") for path in (*plan.changed, *plan.stale)})
    return plan


def files(folder: Path) -> list[str]:
    """Paths of all files and links below `folder`, sorted, `/` between parts."""
    found = []
    for parent, _, names in os.walk(folder):
        below = parent[len(str(folder)) + 1 :].replace(os.sep, "/")
        found += [f"{below}/{name}" if below else name for name in names]
    return sorted(found)


def diff(plan: Plan, texts: Mapping[str, str], prefix: str) -> Iterator[str]:
    """A unified diff, from what is on disk to what should be, line by line."""
    import difflib  # here, because only --check shows differences

    for path in sorted((*plan.added, *plan.changed, *plan.stale)):
        old, new = plan.before.get(path, ""), texts.get(path, "")
        source = "/dev/null" if path in plan.added else f"a/{prefix}/{path}"
        target = "/dev/null" if path in plan.stale else f"b/{prefix}/{path}"
        yield from difflib.unified_diff(old.splitlines(), new.splitlines(), source, target, lineterm="")
