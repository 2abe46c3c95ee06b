"""Runs the real kubectl, with a kubeconfig and a context that were given or those that it finds itself."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from generators.errors import wrong
from generators.tools import binaries

ANSWER_SECONDS = 60
"""How long a request may take: through a tunnel that died, kubectl alone would wait for ever."""


@dataclass(frozen=True)
class Kubectl:
    """kubectl with one kubeconfig, or with what its own rules find, and a context of it or the current one."""

    program: Path
    kubeconfig: Path | None = None
    context: str = ""

    def __call__(self, *arguments: str, stdin: str = "") -> str:
        """What `kubectl ARGUMENTS` printed. Raises FleetError with kubectl's own words where it failed."""
        return self.run(*arguments, stdin=stdin).stdout

    def command(self, *arguments: str) -> list[str]:
        """The whole command line, without a bound on how long it takes."""
        config = [f"--kubeconfig={self.kubeconfig}"] if self.kubeconfig else []
        return [str(self.program), *config, *([f"--context={self.context}"] if self.context else []), *arguments]

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """As a call, with what it said beside it: the API server's warnings are there. Raises FleetError."""
        done = self.tried(*arguments, stdin=stdin)
        if done.returncode:
            said = done.stderr.strip().removeprefix("error: ")
            raise wrong(f"kubectl {' '.join(arguments)}", said or f"exit code {done.returncode}")
        return done

    def tried(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """As `run`, for a caller that reads the exit code itself."""
        return subprocess.run(  # noqa: S603 (no shell; the arguments are ours)
            self.command(f"--request-timeout={ANSWER_SECONDS}s", *arguments),
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )


def of_person(kubeconfig: Path | None, context: str) -> Kubectl:
    """kubectl as a person uses it. Raises FleetError where it is not installed, or the kubeconfig is no file."""
    if kubeconfig is not None and not kubeconfig.is_file():
        raise wrong(str(kubeconfig), "is no file", key="--kubeconfig")
    try:
        return Kubectl(binaries.require("kubectl"), kubeconfig, context)
    except binaries.ToolMissing as missing:
        raise wrong("kubectl", "is not installed", hint=missing.hint) from None
