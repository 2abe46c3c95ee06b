"""Models as they are in the bucket at one moment: an ONNX file by its key, or all that lies below a server's folder."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import PurePosixPath

from inference_worker.errors import BadInput
from inference_worker.store import Store

NAME_LENGTH = 100
"""Of a folder's name, what a person reads; file systems take 255 bytes."""


@dataclass(frozen=True)
class File:
    """One file of a model. `path` is relative to the model, `size` in bytes."""

    path: str
    key: str
    etag: str
    size: int

    @property
    def same(self) -> tuple[str, str]:
        """Two files that share it hold the same bytes."""
        return self.key, self.etag


@dataclass(frozen=True)
class Version:
    """A model with all its files. Whatever changes in the bucket makes another version of it."""

    name: str
    """The key of a file, or a prefix that ends in a slash."""
    files: tuple[File, ...]

    @property
    def folder(self) -> str:
        """Name of a folder that holds this version and no other."""
        digest = hashlib.sha256(json.dumps([self.name, *map(_identity, self.files)]).encode()).hexdigest()
        return f"{self.name.strip('/').replace('/', '--')[-NAME_LENGTH:]}@{digest[:16]}"


def version(store: Store, name: str) -> Version:
    """The model as it is now. Raises BadInput where there is none, or where a file would lie outside its folder."""
    found = tuple(
        File(_path(store, name, each.key), each.key, each.etag, each.size)
        for each in sorted(store.objects(name), key=lambda each: each.key)
        if each.key == name or (name.endswith("/") and not each.key.endswith("/"))
    )
    if not found:
        raise BadInput(store.url(name), "there is no such model", "check the bucket and the spelling")
    return Version(name, found)


def _path(store: Store, name: str, key: str) -> str:
    path = key.removeprefix(name) or PurePosixPath(key).name
    if {"", ".", ".."} & set(path.split("/")):
        raise BadInput(store.url(key), "is no path of a file", "name the object without `.`, `..` and `//`")
    return path


def _identity(file: File) -> list[str | int]:
    return [file.path, file.etag, file.size]
