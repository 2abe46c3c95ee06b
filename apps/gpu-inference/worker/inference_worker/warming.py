"""Models on a node before the pods that need them: `warm` and `clean up`, `fetch` one, `pin` those of a server."""

from __future__ import annotations

import random
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from inference_worker import bucket_models
from inference_worker.shelf import Changed, Held, Shelf
from inference_worker.store import Store
from inference_worker.telemetry import say

ATTEMPTS = 5
"""Of one model that changes in the bucket while it is fetched."""


def warm(store: Store, shelf: Shelf, names: Sequence[str], ready: Path, every: float) -> None:
    """Keeps these models in the folder, and no others, for ever. `ready` is there while they all are.

    It looks every so many seconds, more or less: the nodes of a fleet do not ask all at once.
    """
    while True:
        if keep(store, shelf, names):
            ready.touch()
        else:
            ready.unlink(missing_ok=True)
        time.sleep(every * random.uniform(0.8, 1.2))  # noqa: S311 (to spread requests)


def keep(store: Store, shelf: Shelf, names: Sequence[str]) -> bool:
    """One look: fetches what is not here, removes what is not named. Whether all that is named is here."""
    found = [_fetched(store, shelf, name) for name in names]
    known = [folder for folder, _ in found if folder]
    # What a model is now is not known while S3 does not say it; and a node without it is worse than one with too much.
    removed = shelf.clean(known) if len(known) == len(names) else []
    for name in removed:
        say("removed", folder=name)
    if removed and not all(here for _, here in found):
        found = [_fetched(store, shelf, name) for name in names]  # there may be room now
    return all(here for _, here in found)


def fetch(store: Store, shelf: Shelf, names: Sequence[str]) -> None:
    """Has these models in the folder, or says why not: whoever needs them reads the bucket then."""
    for name in names:
        _fetched(store, shelf, name)


def _fetched(store: Store, shelf: Shelf, name: str) -> tuple[str, bool]:
    """The folder of the model as it is in the bucket, empty where S3 does not say it, and whether it is here."""
    folder = ""
    try:
        folder = bucket_models.version(store, name).folder
        held = shelf.hold(folder)
        if held is None:
            folder, held = _take(store, shelf, name)
        held.release()
    except Exception as error:  # noqa: BLE001 (whatever it is, one line tells it, and the next look tries again)
        say(f"{name} is not here: {type(error).__name__}: {error}", "error")
        return folder, False
    return folder, True


def _take(store: Store, shelf: Shelf, name: str) -> tuple[str, Held]:
    """The model as it is in the bucket, here, and the folder that it is in. Raises NoRoom, Changed, BadInput."""
    for _ in range(ATTEMPTS):
        version, started = bucket_models.version(store, name), time.monotonic()
        if held := shelf.hold(version.folder):
            return version.folder, held
        try:
            held = shelf.fetch(store, version)
        except Changed:
            continue
        seconds = round(time.monotonic() - started, 1)
        say("is here", model=name, folder=version.folder, fetched=held.fetched, seconds=seconds)
        return version.folder, held
    raise Changed(f"{store.url(name)} changed {ATTEMPTS} times while it was fetched")


def pin(store: Store, shelf: Shelf, names: Sequence[str], view: Path) -> list[Held]:
    """Links in `view` to these models, by the last part of their names, which stay as long as this process lives.

    A link that is there stays what it is: what is written to the bucket reaches no server that started before, not
    even one that starts again. Raises NoRoom, Changed, BadInput.
    """
    view.mkdir(parents=True, exist_ok=True)
    return [_linked(store, shelf, name, view / PurePosixPath(name).name) for name in names]


def _linked(store: Store, shelf: Shelf, name: str, link: Path) -> Held:
    before = shelf.hold(link.readlink().parent.name) if link.is_symlink() else None
    held = before or _take(store, shelf, name)[1]
    fresh = link.with_name(f".{link.name}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(held.files)
    fresh.replace(link)
    say("is held", model=name, files=str(held.files))
    return held


@contextmanager
def file(store: Store, key: str, folder: str) -> Iterator[Path]:
    """The file of an ONNX model: the node's own where it has it, or one that is fetched for this process alone."""
    held = Shelf(Path(folder)).hold(bucket_models.version(store, key).folder) if folder else None
    if held:
        try:
            yield held.files / PurePosixPath(key).name
        finally:
            held.release()
        return
    with tempfile.TemporaryDirectory(prefix="model-") as scratch:
        own = Path(scratch, "model.onnx")
        store.download(key, own)
        yield own


def until_stopped() -> None:
    """Waits for a signal that ends the process."""
    while True:
        signal.pause()
