"""Builds pinned tools into a cache: `python -m generators.tools.build [TARGET]`. A no-op when they are there."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from generators.tools import binaries, envtest
from generators.tools.binaries import MODULES, TOOLS, Module, ToolFailed, ToolMissing

SECONDS_BETWEEN_LINES = 3.0
LAST_LINES = 20
# No C compiler, no toolchain download, no go.work of a folder above: the build is the same everywhere.
ENVIRONMENT = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}


def main(module: Module = TOOLS) -> int:
    """Exit code: 0 the tools are there, 1 the build failed, 2 Go is missing or too old, or no checkout."""
    target = module.cache_folder()
    if target is None:
        return _say(f"error: {module.folder} holds no go.mod\nhint: run this in a checkout of the project", 2)
    try:
        for line in envtest.told(module):
            _say(line)
        if up_to_date(module, target):
            return _say(f"tools are up to date: {target}")
        version = go_version(module)
    except ToolMissing as missing:
        return _say(f"error: {missing}\nhint: {missing.hint}", 2)
    except ToolFailed as failed:
        return _say(f"error: {failed}", 2)
    with _lock(target):
        return 0 if up_to_date(module, target) else _build(module, target, version)


def up_to_date(module: Module, target: Path) -> bool:
    """Whether `target` holds every tool that the module pins and that nobody brought along."""
    return all(os.access(target / name, os.X_OK) for name in module.to_build())


def go_version(module: Module) -> str:
    """The version of the Go found, as in `go1.26.8`. Raises ToolMissing, or ToolFailed when it is too old."""
    go = binaries.require("go")
    command = [str(go), "env", "GOVERSION"]
    # Run at the root, where no go.mod is: an old Go refuses to speak in a module that asks for a newer one.
    said = subprocess.run(  # noqa: S603 (no shell; the words are ours)
        command, env=os.environ | ENVIRONMENT, cwd="/", capture_output=True, text=True, check=False
    ).stdout.strip()
    found = re.search(r"go(\d+)\.(\d+)", said)
    needed = module.go_needed() or (0, 0)
    if not found or (int(found[1]), int(found[2])) < needed:
        raise ToolFailed(
            f"{go} is {said or 'of an unknown version'}, but the tools need Go {needed[0]}.{needed[1]}\n"
            f"hint: {binaries.how_to_get('go')}"
        )
    return said


def _build(module: Module, target: Path, version: str) -> int:
    _say(f"building {', '.join(module.to_build())} with {version}, {module.first_time} the first time: {target}")
    for leftover in target.parent.glob(f"{target.name}.*.partial"):
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f"{target.name}.", suffix=".partial") as new:
        made = Path(new, "made")
        complaints = _go_build(module, made)
        if complaints is not None:
            return _say(f"error: go build failed\n{complaints}", 1)
        shutil.rmtree(target, ignore_errors=True)  # only ever there when a tool in it was deleted
        made.rename(target)
    return _say(f"tools are built: {target}")


def _go_build(module: Module, folder: Path) -> str | None:
    """Builds every tool into `folder`. Returns None, or what go complained of."""
    command = [str(binaries.require("go")), "build", "-C", str(module.folder), "-mod=readonly", "-trimpath"]
    with subprocess.Popen(  # noqa: S603 (no shell; the words are ours)
        [*command, f"-ldflags={' '.join(_linker(module))}", "-v", "-o", f"{folder}/", *module.to_build().values()],
        env=os.environ | ENVIRONMENT,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    ) as process:
        complaints = _report(process.stderr or ())
    return None if process.returncode == 0 else "\n".join(complaints)


def _linker(module: Module) -> list[str]:
    """Without tables for debuggers. Kubernetes and helm are told its version, as their own builds do."""
    version = module.kubernetes()
    if not version:
        return ["-s", "-w"]
    major, minor, _ = version.split(".", maxsplit=2)
    kubernetes, helm = "k8s.io/component-base/version", "helm.sh/helm/v3/pkg/chartutil"
    facts = {
        f"{kubernetes}.gitVersion": f"v{version}",
        f"{kubernetes}.gitMajor": major,
        f"{kubernetes}.gitMinor": minor,
        f"{helm}.k8sVersionMajor": major,
        f"{helm}.k8sVersionMinor": minor,
    }
    return ["-s", "-w", *(f"-X={name}={value}" for name, value in facts.items())]


def _report(lines: Iterable[str]) -> deque[str]:
    """Shows counters while go speaks. Returns the last lines that were neither a package nor a download."""
    started = shown = time.monotonic()
    packages = downloads = 0
    others: deque[str] = deque(maxlen=LAST_LINES)
    for line in map(str.rstrip, lines):
        if line.startswith("go: downloading "):
            downloads += 1
        elif line and " " not in line:
            packages += 1
        else:
            others.append(line)
        if time.monotonic() - shown > SECONDS_BETWEEN_LINES:
            shown = time.monotonic()
            _say(f"fetched {downloads} modules, built {packages} packages")
    _say(f"fetched {downloads} modules, built {packages} packages in {time.monotonic() - started:.0f} s")
    return others


@contextmanager
def _lock(target: Path) -> Iterator[None]:
    """One build at a time, whichever checkout it comes from. The lock dies with its process."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_suffix(".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("another build of the tools is under way; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _say(text: str, code: int = 0) -> int:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    named = sys.argv[1:] or [TOOLS.target]
    sys.exit(max(main(module) for module in MODULES if module.make in named))
