"""Who runs a pipeline: experiments are by person, so that several people find their own runs."""

from __future__ import annotations

import getpass
import re
import subprocess
from pathlib import Path


def name(folder: Path) -> str:
    """The person's name for an experiment: of git's e-mail address what stands before the @, or else the login name."""
    try:
        done = subprocess.run(
            ["git", "config", "--get", "user.email"],  # noqa: S607 (the person's own git)
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout.strip().partition("@")[0]
    except OSError:
        said = ""
    return re.sub(r"[^a-z0-9._-]+", "-", (said or _login()).lower()).strip("-") or "nobody"


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return ""
