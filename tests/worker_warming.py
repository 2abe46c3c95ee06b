"""The worker's commands for models on a node, as processes of their own, on a bucket of moto's server."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from inference_worker.store import Store

MODULE = [sys.executable, "-m", "inference_worker"]
SERVED = "models/resnet50/"
PLAIN = "models/plain/1/model.onnx"
LIMIT = 64


def command(name: str, folder: Path, *more: str, limit: int = LIMIT) -> list[str]:
    return [*MODULE, name, f"--folder={folder}", f"--limit-mib={limit}", "--laptop", *more]


def start(env: dict[str, str], words: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@contextmanager
def running(env: dict[str, str], words: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that ends with the block, so that a test that fails does not wait for it."""
    with start(env, words) as process:
        try:
            yield process
        finally:
            process.kill()


def finish(env: dict[str, str], words: list[str]) -> tuple[int, list[dict[str, Any]]]:
    """Exit code and what it said. Raises ValueError where a line is no JSON."""
    with start(env, words) as process:
        said, _ = process.communicate(timeout=120)
    return process.returncode, [json.loads(line) for line in said.splitlines()]


def lines(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    """What a process says, as it says it."""
    assert process.stdout
    for line in process.stdout:
        yield json.loads(line)


def versions(folder: Path) -> list[str]:
    """What the folder offers, by its own word."""
    return sorted(each.name for each in folder.iterdir() if not each.name.startswith("."))


def holds(place: Path) -> dict[str, str]:
    """Path and digest of each file of a version."""
    files = place / "files"
    return {
        path.relative_to(files).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files.rglob("*")
        if path.is_file()
    }


def digests(objects: dict[str, bytes], prefix: str) -> dict[str, str]:
    """The same, of what was put into the bucket."""
    return {
        key.removeprefix(prefix): hashlib.sha256(body).hexdigest()
        for key, body in objects.items()
        if key.startswith(prefix)
    }


def put(store: Store, objects: dict[str, bytes]) -> None:
    for key, body in objects.items():
        store.client.put_object(Bucket=store.bucket, Key=key, Body=body)
