"""Locks of folders, which the kernel drops with the process that holds them, and what must be on the disk."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def locked(place: Path, how: int) -> int | None:
    """A descriptor of a folder, with its lock; None where there is none. Raises BlockingIOError with LOCK_NB."""
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, how)
        if os.path.samestat(os.fstat(descriptor), place.stat()):
            return descriptor
    except FileNotFoundError:
        pass  # moved or removed while we waited
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """The folder's lock, for nobody else."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def settle(*paths: Path) -> None:
    """Files and folders are on the disk, so that a node that starts again has no empty files under good names."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
