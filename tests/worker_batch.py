"""A batch of the worker as processes of its own, on a bucket of moto's server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from inference_worker.store import Store

BUCKET = "demo-bucket"
MODEL, INPUT, OUTPUT = "models/m.onnx", "movies/", "results/"
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
COMMAND = [sys.executable, "-m", "inference_worker", "run"]


def environment(endpoint: str, **more: str) -> dict[str, str]:
    """What a laptop's worker is told; nothing of ours that AWS's SDK would see."""
    own = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "INFERENCE_"))}
    told = {"INFERENCE_BUCKET": BUCKET, "INFERENCE_INPUT": INPUT, "INFERENCE_OUTPUT": OUTPUT, "INFERENCE_MODEL": MODEL}
    aws = {"AWS_ENDPOINT_URL": endpoint, "AWS_DEFAULT_REGION": "us-east-1", "AWS_MAX_ATTEMPTS": "2"}
    return own | told | aws | more


def start(env: dict[str, str], options: Sequence[str] = ("--laptop",)) -> subprocess.Popen[str]:
    """One pod of a batch."""
    return subprocess.Popen([*COMMAND, *options], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(env: dict[str, str], options: Sequence[str] = ("--laptop",)) -> tuple[int, list[dict[str, Any]]]:
    """Exit code and what it said. Raises ValueError where a line is no JSON."""
    with start(env, options) as process:
        said, _ = process.communicate(timeout=120)
    return process.returncode, [json.loads(line) for line in said.splitlines()]


def fill(place: Store, objects: dict[str, bytes]) -> None:
    """The bucket with these objects, and no others; it keeps every version, so that what is written twice shows."""
    place.client.create_bucket(Bucket=BUCKET)
    place.client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for each in versions(place):
        place.client.delete_object(Bucket=BUCKET, Key=each[0], VersionId=each[1])
    for key, body in objects.items():
        place.client.put_object(Bucket=BUCKET, Key=key, Body=body)


def versions(place: Store) -> list[tuple[str, str]]:
    """Key and version of everything that was ever written, and not removed."""
    pages = place.client.get_paginator("list_object_versions").paginate(Bucket=BUCKET)
    return [
        (each["Key"], each["VersionId"])
        for page in pages
        for each in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
    ]


def frames(place: Store) -> dict[str, list[int]]:
    """Numbers of the frames in each movie's result, by the movie's key."""
    keys = [key for key in place.keys(OUTPUT) if "/.inference/" not in key]
    return {
        key.removeprefix(OUTPUT).removesuffix(".jsonl"): [
            json.loads(line)["frame"] for line in place.read(key).splitlines()
        ]
        for key in keys
    }
