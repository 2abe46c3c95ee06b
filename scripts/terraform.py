"""Terraform on one cluster: this checkout's root, the cluster's variables, a state and a work folder of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import typer

from generators.cli import console
from generators.errors import FleetError, wrong
from generators.output.disk import locked
from generators.source.workspace import locate
from scripts import preconditions, state_bucket
from scripts.target import Target, load

ROOT = Path("terraform", "cluster")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Root:
    """Terraform's root, ready for one cluster. Other clusters' runs in the same checkout do not meet it."""

    target: Target
    program: Path

    @property
    def folder(self) -> Path:
        """Where the root's files are."""
        return self.target.workspace.root / ROOT

    @property
    def work(self) -> Path:
        """What Terraform and we keep for the cluster: backend, providers, the saved plan. Git ignores it."""
        return self.folder / ".terraform" / "clusters" / self.target.name

    @property
    def variables(self) -> str:
        """The option that names the cluster's file."""
        return f"-var-file={self.target.tfvars.resolve()}"

    def environment(self) -> dict[str, str]:
        """The caller's, with a work folder for each cluster and one copy of the provider for all."""
        shared = {"TF_PLUGIN_CACHE_DIR": str(self.folder / ".terraform" / "plugins")}
        ours = {"TF_DATA_DIR": str(self.work), "TF_IN_AUTOMATION": "1"}
        return shared | dict(os.environ) | ours

    def run(self, command: str, *arguments: str, quiet: bool = False) -> int:
        """Terraform's exit code; its words pass through, of a quiet command those about errors.

        Exits with 130 where a signal stopped it. A signal that we get is handed on once, so Terraform stops in order:
        it runs in a process group of its own, or a Ctrl-C would reach it twice, which means to drop everything.
        """
        stopped: list[int] = []
        child: subprocess.Popen[bytes] | None = None

        def hand_on(number: int, _frame: FrameType | None) -> None:
            stopped.append(number)
            if child is not None:
                child.send_signal(signal.SIGTERM if number == signal.SIGHUP else number)

        heard = [each for each in _SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]
        before = {each: signal.signal(each, hand_on) for each in heard}
        try:
            child = subprocess.Popen(
                [str(self.program), command, *_plain(command), *arguments],
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL if quiet else None,
                process_group=0,
            )
            for number in [*stopped]:  # what came before there was a child
                child.send_signal(number)
            code = child.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if stopped:
            console.say("interrupted; Terraform stopped in order, and the state holds what was done")
            raise typer.Exit(console.INTERRUPTED)
        return code

    def must(self, command: str, *arguments: str, quiet: bool = False, hint: str = "") -> None:
        """As `run`. Raises FleetError where Terraform fails; what it said stands above."""
        if code := self.run(command, *arguments, quiet=quiet):
            raise failed(command, code, hint)

    def read(self, *arguments: str) -> str:
        """What Terraform printed. Raises FleetError with Terraform's own words."""
        done = subprocess.run(
            [str(self.program), *arguments],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        if done.returncode:
            raise wrong(f"terraform {' '.join(arguments)}", done.stderr.strip())
        return done.stdout

    def addresses(self) -> set[str]:
        """Address of every resource in the state; quicker than `resources`, for no provider is started."""
        try:
            return set(self.read("state", "list").splitlines())
        except FleetError as error:
            if "No state file was found" in str(error):
                return set()
            raise

    def resources(self) -> list[dict[str, Any]]:
        """Every resource in the state as Terraform shows it: `address`, `type`, `values`."""
        shown = json.loads(self.read("show", "-json", "-no-color"))
        return list(_resources(shown.get("values", {}).get("root_module", {})))

    def init(self, bucket: str) -> None:
        """Point Terraform at the cluster's state. One run at a time: clusters share the provider and its lock file."""
        if not self.work.is_dir():
            console.say("getting Terraform ready; the first time it downloads the AWS provider")
            self.work.mkdir(parents=True)
        # A plan holds what the state holds.
        self.work.chmod(0o700)
        Path(self.environment()["TF_PLUGIN_CACHE_DIR"]).mkdir(parents=True, exist_ok=True)
        facts = {"bucket": bucket, "key": state_key(self.target.name), "region": self.target.region}
        with locked(self.folder, str(ROOT), lambda: console.say("waiting for another terraform init to finish …")):
            self.must(
                "init",
                "-input=false",
                "-reconfigure",
                *(f"-backend-config={key}={value}" for key, value in facts.items()),
                quiet=True,
            )


def _plain(command: str) -> list[str]:
    """Terraform colours what goes to a file, too, unless told."""
    plain = "NO_COLOR" in os.environ or not sys.stdout.isatty()
    return ["-no-color"] if plain and command != "state" else []


def _resources(module: dict[str, Any]) -> list[dict[str, Any]]:
    found = [each for each in module.get("resources", []) if each["mode"] == "managed"]
    for child in module.get("child_modules", []):
        found += _resources(child)
    return found


def state_key(name: str) -> str:
    """Where in the state bucket the cluster's state is."""
    return f"clusters/{name}/terraform.tfstate"


def failed(command: str, code: int, hint: str = "") -> FleetError:
    """Terraform said no."""
    return wrong(f"terraform {command}", f"failed with exit code {code}; its own words are above", hint=hint)


def ready(name: str) -> Root:
    """Terraform, initialised for the cluster.

    Raises FleetError, with nothing touched, where generated files are stale, Terraform is missing or too old,
    credentials are of another account, or the state bucket does not exist.
    """
    locate().existing(name)
    preconditions.refuse_stale(name)
    root = Root(load(name), preconditions.program(locate().root / ROOT))
    root.init(state_bucket.require(root.target))
    return root
