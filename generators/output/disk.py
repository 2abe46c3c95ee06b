"""Replaces a cluster's generated folder whole, or leaves it as it was.

The new folder is built beside the old one as `.generated-new`, unchanged files as hard links. Then two renames swap
them, by way of `.generated-old`. A process that is killed before the first rename leaves the old folder; one killed
between the two leaves no folder, and `recover`, which every render calls first, puts the old one back.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from generators.errors import FleetError, Place, Problem, wrong
from generators.output.plan import Plan
from generators.output.text import MARK

GENERATED = "generated"
NEW, OLD = ".generated-new", ".generated-old"
_HINTS = {
    errno.ENOSPC: "free some space; nothing was changed",
    errno.EDQUOT: "free some space; nothing was changed",
    errno.EACCES: "make the folder writable; nothing was changed",
    errno.EPERM: "make the folder writable; nothing was changed",
    errno.EROFS: "the file system is read-only; nothing was changed",
}


@contextmanager
def locked(folder: Path, shown: str, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Holds a lock on `folder` so that two runs do not mix. Where another has it, calls `waiting` once, and waits.

    Raises FleetError.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise wrong(shown, f"cannot be opened: {error.strerror}") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def recover(cluster: Path) -> None:
    """Undoes or completes what a killed run left behind. Call it with the lock held. Raises OSError."""
    old, generated = cluster / OLD, cluster / GENERATED
    if old.is_dir() and not generated.exists():
        old.rename(generated)
    for leftover in (old, cluster / NEW):
        if leftover.is_dir() and not leftover.is_symlink():
            _remove(leftover)


def guard(cluster: Path, shown: str) -> None:
    """Refuses a generated folder that `fleet` did not make, or that leads elsewhere. Raises FleetError."""
    folder = cluster / GENERATED
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise wrong(f"{shown}/{GENERATED}", "is not a real folder", hint="remove it; `make render` makes a folder")
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    if odd := [path for path in folder.rglob("*") if path.is_symlink() or not (path.is_file() or path.is_dir())]:
        place = Place(f"{shown}/{GENERATED}/{odd[0].relative_to(folder).as_posix()}")
        raise FleetError(Problem(place, "is neither a file nor a folder of fleet's", hint="remove it"))
    readme = folder / "README.md"
    if not readme.is_file() or MARK not in readme.read_text(encoding="utf-8", errors="replace"):
        hint = "move what is yours out of it and remove the folder; then `make render`"
        raise wrong(
            f"{shown}/{GENERATED}", "has no README.md made by fleet, so its files may be somebody's work", hint=hint
        )


def apply(cluster: Path, shown: str, texts: Mapping[str, str], plan: Plan) -> None:
    """Makes `generated/` hold `texts`. Call it with the lock held, after `recover` and `guard`. Raises FleetError."""
    if not plan.differs:
        return
    try:
        _build(cluster, texts, plan)
        _swap(cluster)
    except OSError as error:
        with suppress(OSError):
            recover(cluster)
        hint = _HINTS.get(error.errno or 0, "nothing was changed")
        raise wrong(f"{shown}/{GENERATED}", f"cannot be written: {error.strerror}", hint=hint) from None


def _build(cluster: Path, texts: Mapping[str, str], plan: Plan) -> None:
    new, current = cluster / NEW, cluster / GENERATED
    if any(".." in path.split("/") or path.startswith("/") for path in texts):
        raise ValueError("a renderer named a file outside of the generated folder")
    new.mkdir()
    for folder in sorted({os.path.dirname(path) for path in texts}):  # noqa: PTH120 - texts are names, not paths
        (new / folder).mkdir(parents=True, exist_ok=True)
    same = set(plan.same)
    for path, text in texts.items():
        if not (path in same and _link(current / path, new / path)):
            (new / path).write_bytes(text.encode())


def _link(source: Path, target: Path) -> bool:
    """Some file systems have no hard links; then the file is written again."""
    try:
        os.link(source, target)
    except OSError:
        return False
    return True


def _remove(folder: Path, *, ignore_errors: bool = False) -> None:
    import shutil  # here, because it is slow to import and a first render can do without

    shutil.rmtree(folder, ignore_errors=ignore_errors)


def _swap(cluster: Path) -> None:
    current, old = cluster / GENERATED, cluster / OLD
    if current.exists():
        current.rename(old)
    (cluster / NEW).rename(current)
    _remove(old, ignore_errors=True)  # the new folder is in place; what is left here, the next render removes


def create_folder(folder: Path, texts: Mapping[str, str], shown: str) -> None:
    """A new folder with these files, whole or not at all. Raises FleetError."""
    staging = folder.parent / f".new-{folder.name}"
    try:
        _remove(staging, ignore_errors=True)
        staging.mkdir()
        for path, text in texts.items():
            (staging / path).parent.mkdir(parents=True, exist_ok=True)
            (staging / path).write_bytes(text.encode())
        staging.rename(folder)
    except OSError as error:
        _remove(staging, ignore_errors=True)
        hint = _HINTS.get(error.errno or 0, "nothing was made")
        raise wrong(shown, f"cannot be made: {error.strerror}", hint=hint) from None


def remove_folder(folder: Path, shown: str) -> None:
    """Removes a folder; it is gone at once, its files right after. Raises FleetError."""
    doomed = folder.parent / f".deleted-{folder.name}"
    try:
        _remove(doomed, ignore_errors=True)
        folder.rename(doomed)
        _remove(doomed, ignore_errors=True)
    except OSError as error:
        hint = _HINTS.get(error.errno or 0, "")
        raise wrong(shown, f"cannot be removed: {error.strerror}", hint=hint) from None


def holds(path: Path, text: str) -> bool:
    """Whether the file is there and holds just this text."""
    return path.is_file() and path.read_bytes() == text.encode()


def replace_file(path: Path, text: str, shown: str) -> None:
    """Writes a file, whole or not at all; the mode of one that it replaces stays. Raises FleetError."""
    staging = path.parent / f".{path.name}.new"
    try:
        staging.write_bytes(text.encode())
        if path.exists():
            staging.chmod(path.stat().st_mode & 0o777)
        staging.replace(path)
    except OSError as error:
        staging.unlink(missing_ok=True)
        hint = _HINTS.get(error.errno or 0, "nothing was changed")
        raise wrong(shown, f"cannot be written: {error.strerror}", hint=hint) from None
