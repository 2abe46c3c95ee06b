"""Runs the real kubectl with one kubeconfig."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from generators.errors import wrong

ANSWER_SECONDS = 60
"""How long a request may take: through a tunnel that died, kubectl alone would wait for ever."""


@dataclass(frozen=True)
class Kubectl:
    """kubectl with one kubeconfig."""

    program: Path
    kubeconfig: Path

    def __call__(self, *arguments: str, stdin: str = "") -> str:
        """What `kubectl ARGUMENTS` printed. Raises FleetError with kubectl's own words where it failed."""
        return self.run(*arguments, stdin=stdin).stdout

    def _start(self) -> list[str]:
        return [str(self.program), f"--kubeconfig={self.kubeconfig}", f"--request-timeout={ANSWER_SECONDS}s"]

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """As a call, with what it said beside it: the API server's warnings are there. Raises FleetError."""
        done = subprocess.run(  # noqa: S603 (no shell; the arguments are ours)
            [*self._start(), *arguments],
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if done.returncode:
            said = done.stderr.strip().removeprefix("error: ")
            raise wrong(f"kubectl {' '.join(arguments)}", said or f"exit code {done.returncode}")
        return done
