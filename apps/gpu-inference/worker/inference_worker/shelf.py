"""Models in a folder of the node, which all its pods share: each there once and whole, whoever is killed and when.

    <model>@<version>/files.json   what it holds
    <model>@<version>/files/…      its files
    .coming/<model>@<version>/     the same, while somebody fetches it
    .going/…                       what is being removed

A version is fetched by whoever holds its folder's lock, and all others wait for him. The kernel drops the lock of a
process that is killed, and the next one goes on where that one was: a file has its name once it is whole and on the
disk. Then the folder, which is never written to again, is moved to its place. Who reads a version shares its lock; it
is removed by whoever gets that lock for himself.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from inference_worker.bucket_models import File, Version
from inference_worker.locks import exclusive, locked, settle
from inference_worker.store import Store

COMING, GOING, FACTS, FILES, PARTS = ".coming", ".going", "files.json", "files", "parts"
AT_ONCE = 4
"""Files; the larger of them are fetched in parts at once anyway."""


class NoRoom(Exception):
    """The version does not fit beside what is there."""


class Changed(Exception):
    """The model changed in the bucket while it was fetched."""


@dataclass(frozen=True)
class Held:
    """A version that stays as long as `descriptor` is open. `files` is the folder of its files.

    `fetched`: bytes that came from the bucket for it, by whoever holds this.
    """

    files: Path
    descriptor: int
    fetched: int = 0

    def release(self) -> None:
        """It may be removed."""
        os.close(self.descriptor)


@dataclass(frozen=True)
class Shelf:
    """The folder. It holds `limit` bytes at most, and leaves this part of the disk to others."""

    folder: Path
    limit: int = 0
    free_share: float = 0.0

    def hold(self, folder: str) -> Held | None:
        """The version in a folder of this name; None: it is not here."""
        descriptor = locked(self.folder / folder, fcntl.LOCK_SH)
        return None if descriptor is None else Held(self.folder / folder / FILES, descriptor)

    def fetch(self, store: Store, version: Version) -> Held:
        """The version, fetched where it is not here. Raises NoRoom, Changed, BadInput and OSError."""
        fetched = 0
        while (held := self.hold(version.folder)) is None:
            with self._coming(version) as place:
                if place:
                    fetched += self._fill(store, version, place)
                    place.rename(self.folder / version.folder)
                    settle(self.folder)
        return replace(held, fetched=fetched)

    def clean(self, keep: Collection[str]) -> list[str]:
        """Removes versions that are not to be kept and that nobody reads; their folders' names."""
        gone = [name for name in self._names(self.folder) if name not in keep and self._removed(self.folder / name)]
        for name in self._names(self.folder / COMING):
            if name not in keep:
                self._removed(self.folder / COMING / name)
        shutil.rmtree(self.folder / GOING, ignore_errors=True)
        return gone

    @contextmanager
    def _coming(self, version: Version) -> Iterator[Path | None]:
        """The folder to fetch into, locked; None where somebody else was first, or is done by now."""
        place = self.folder / COMING / version.folder
        place.mkdir(parents=True, exist_ok=True)
        descriptor = locked(place, fcntl.LOCK_EX)
        if descriptor is None:
            yield None
            return
        try:
            if (self.folder / version.folder).exists():
                shutil.rmtree(place)
                yield None
            else:
                yield place
        finally:
            os.close(descriptor)

    def _fill(self, store: Store, version: Version, place: Path) -> int:
        """Has all files in `place`; bytes that came from the bucket."""
        self._reserve(version, place)
        shutil.rmtree(place / PARTS, ignore_errors=True)  # of an attempt that was killed
        (place / PARTS).mkdir()
        here = self._here()

        def get(index: int, file: File) -> int:
            return _file(store, file, place, place / PARTS / str(index), here)

        try:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                fetched = sum(pool.map(get, range(len(version.files)), version.files))
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                shutil.rmtree(place)  # half a model helps nobody, and the disk is the node's
                raise NoRoom(f"{version.name}: the disk is full") from None
            raise
        shutil.rmtree(place / PARTS)
        settle(*(path for path in place.rglob("*") if path.is_dir()), place)
        return fetched

    def _reserve(self, version: Version, place: Path) -> None:
        """Notes what the version will take, so that whoever comes next counts it. Raises NoRoom."""
        with exclusive(self.folder):
            if why := self._too_much(version, place):
                shutil.rmtree(place)
                raise NoRoom(f"{version.name}: {why}")
            facts = {"name": version.name, "files": [asdict(file) for file in version.files]}
            (place / "files.new").write_text(json.dumps(facts))
            (place / "files.new").rename(place / FACTS)

    def _too_much(self, version: Version, place: Path) -> str:
        """Why the version does not fit, or an empty text."""
        sizes = {file.same: file.size for file in (*self._files(), *version.files)}
        if (together := sum(sizes.values())) > self.limit:
            return f"with it there were {together:,} bytes, and {self.limit:,} are for models"
        here, disk = self._here(), shutil.disk_usage(self.folder)
        left = [file for file in version.files if file.same not in here and not (place / FILES / file.path).exists()]
        free = disk.free - int(self.free_share * disk.total)
        if (needed := sum(file.size for file in left)) > free:
            return f"{needed:,} bytes are to come, and the disk has room for {max(free, 0):,}"
        return ""

    def _files(self) -> Iterator[File]:
        """Of all versions, those under way too."""
        for folder in (self.folder, self.folder / COMING):
            for name in self._names(folder):
                yield from _facts(folder / name)

    def _here(self) -> dict[tuple[str, str], Path]:
        """Files of versions that are whole, by key and ETag."""
        whole = [self.folder / name for name in self._names(self.folder)]
        return {file.same: place / FILES / file.path for place in whole for file in _facts(place)}

    def _removed(self, place: Path) -> bool:
        try:
            descriptor = locked(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        if descriptor is None:
            return False
        (self.folder / GOING).mkdir(exist_ok=True)
        # First out of sight, so that nobody takes up what is half gone.
        gone = self.folder / GOING / uuid.uuid4().hex
        place.rename(gone)
        os.close(descriptor)
        shutil.rmtree(gone, ignore_errors=True)
        return True

    def _names(self, folder: Path) -> list[str]:
        return sorted(each.name for each in folder.iterdir() if "@" in each.name) if folder.is_dir() else []


def _file(store: Store, file: File, place: Path, part: Path, here: dict[tuple[str, str], Path]) -> int:
    """One file: there from an attempt before, a link to another version's, or fetched: so many bytes."""
    target = place / FILES / file.path
    if target.exists():
        return 0
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(here[file.same], target)
    except (KeyError, FileNotFoundError):  # nobody has it, or it was just removed
        store.download(file.key, part)
        if store.etag(file.key) != file.etag or part.stat().st_size != file.size:
            raise Changed(store.url(file.key)) from None
        settle(part)
        part.rename(target)
        return file.size
    return 0


def _facts(place: Path) -> list[File]:
    try:
        return [File(**each) for each in json.loads((place / FACTS).read_bytes())["files"]]
    except FileNotFoundError:  # nobody has begun, or it is being removed
        return []
