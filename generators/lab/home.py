"""The folder of one lab: keys, data, logs, and what a second command must know of it."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Home:
    """One lab's folder. It is only the user's own: it holds keys of an administrator."""

    folder: Path

    @property
    def kubeconfig(self) -> Path:
        """Of an administrator."""
        return self.folder / "kubeconfig"

    @property
    def logs(self) -> Path:
        """One file a process."""
        return self.folder / "logs"

    @property
    def state(self) -> Path:
        """Written by the keeper, first with its pid alone, and again when the lab is up."""
        return self.folder / "state.json"

    def make(self) -> Home:
        """The folder, new and empty but for what a lab before this one may have left in its caches."""
        for folder in (self.folder, self.logs, *(self.folder / name for name in ("bin", "keys", "tmp"))):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self

    def write(self, name: str, text: str) -> Path:
        """A file that only its owner reads."""
        file = self.folder / name
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
            out.write(text)
        return file


def labs() -> Path:
    """Where the labs of this user are: below XDG's folder for state."""
    configured = os.environ.get("XDG_STATE_HOME", "")
    # The XDG specification tells programs to ignore a relative path here.
    state = Path(configured) if configured.startswith("/") else Path.home() / ".local" / "state"
    return state / "inference-fleet" / "lab"


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def read_json(file: Path) -> dict[str, object]:
    """The object in a file, or nothing where the file is missing or half-written."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
