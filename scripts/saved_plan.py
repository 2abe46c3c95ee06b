"""The plan that `make plan` leaves for `make apply`: applied as it was shown, or not at all."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from generators.cli import console
from generators.errors import FleetError
from scripts import adoption, ahead, destruction, node_sizes
from scripts.terraform import Root, failed

NOTHING_TO_DO, CHANGES = 0, 2
"""Exit codes of `terraform plan -detailed-exitcode`."""


@dataclass(frozen=True)
class SavedPlan:
    """The plan file in a cluster's work folder, and beside it what it was made from."""

    root: Root

    @property
    def file(self) -> Path:
        """Terraform's plan. It may hold what the state holds, so nobody else may read it."""
        return self.root.work / "saved.tfplan"

    @property
    def note(self) -> Path:
        """When it was made, and of what sources."""
        return self.root.work / "saved.json"

    def make(self) -> bool:
        """Plan, show and save; False where nothing is to do. Raises FleetError, also for a plan that loses data."""
        self.forget()
        # What it is made from, before Terraform reads it: a file that changes meanwhile makes the plan invalid.
        note: dict[str, Any] = {"made": datetime.now(UTC).isoformat(timespec="seconds"), "sources": self._sources()}
        code = self.root.run("plan", *_options(self.root), f"-out={self.file}")
        if code != CHANGES:
            self.forget()
            if code == NOTHING_TO_DO:
                return False
            raise failed("plan", code)
        self.file.chmod(0o600)
        try:
            plan = json.loads(self.root.read("show", "-json", str(self.file)))
            resizes = list(node_sizes.resizes(plan))
            destruction.refuse_loss(self.root, plan)
            node_sizes.refuse_too_low(self.root.target, resizes)
            ahead.warn(self.root.target, plan)
        except FleetError:
            self.forget()
            raise
        note["resizes"] = [asdict(each) for each in resizes]
        self.note.write_text(json.dumps(note), encoding="utf-8")
        return True

    def valid(self) -> bool:
        """Whether there is one, made from the files as they are now. That the state is the same, Terraform checks."""
        return bool(self._note())

    def apply(self) -> None:
        """Apply exactly what was planned. Raises FleetError; the plan is used up either way."""
        note = self._note()
        try:
            node_sizes.refuse_moved(self.root.target, [node_sizes.Resize(**each) for each in note["resizes"]])
            console.say(f"applying the plan of {note['made']}")
            again = f"make plan NAME={self.root.target.name} shows where it stands; what was done is in the state"
            self.root.must("apply", "-input=false", str(self.file), hint=again)
        finally:
            self.forget()

    def forget(self) -> None:
        """Remove it."""
        self.note.unlink(missing_ok=True)
        self.file.unlink(missing_ok=True)

    def _note(self) -> dict[str, Any]:
        """What `make` noted; nothing where there is no plan of the files as they are now."""
        try:
            note: dict[str, Any] = json.loads(self.note.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        same = self.file.is_file() and note.get("sources") == self._sources()
        return note if same and "resizes" in note else {}

    def _sources(self) -> str:
        """A hash of everything that a plan is made from, but for AWS."""
        found = hashlib.sha256()
        for folder in (self.root.folder.parent, self.root.target.tfvars.parent):
            for path in sorted(folder.rglob("*")):
                parts = path.relative_to(folder).parts
                if path.is_file() and not any(part == "tests" or part.startswith(".terraform") for part in parts):
                    found.update(f"\n{'/'.join(parts)}\n".encode() + path.read_bytes())
        return found.hexdigest()


def differs(root: Root) -> bool:
    """Whether AWS or the state differs from the files: shown, not saved, without a lock, so read-only rights do."""
    code = root.run("plan", *_options(root), "-lock=false")
    if code not in {NOTHING_TO_DO, CHANGES}:
        raise failed("plan", code)
    return code == CHANGES


def _options(root: Root) -> list[str]:
    return ["-input=false", "-detailed-exitcode", root.variables, *adoption.options(root)]
