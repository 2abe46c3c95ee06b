"""Models on a node: once, whole, and gone when nobody names or reads them."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from inference_worker import bucket_models, warming
from inference_worker.errors import BadInput
from inference_worker.shelf import Changed, NoRoom, Shelf
from inference_worker.store import Object, Store, connect

from tests.aws.server import serving
from tests.movies import RED, make_model, make_movie
from tests.worker_batch import BUCKET, INPUT, KEYS, environment, fill, frames
from tests.worker_batch import finish as finish_batch
from tests.worker_warming import (
    LIMIT,
    PLAIN,
    SERVED,
    command,
    digests,
    finish,
    holds,
    lines,
    put,
    running,
    versions,
)

MIB = 2**20
OBJECTS = {
    f"{SERVED}config.pbtxt": b"name: 'resnet50'",
    f"{SERVED}1/model.plan": os.urandom(9 * MIB),
    f"{SERVED}1/": b"",
    "models/resnet50-other/1/model.plan": b"another model's",
    PLAIN: os.urandom(MIB),
    f"{PLAIN}.txt": b"not the model",
}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with serving("123456789012") as url:
        yield url


@pytest.fixture
def env(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    found = environment(endpoint, **KEYS)
    for key, value in found.items():
        monkeypatch.setenv(key, value)
    return found


@pytest.fixture
def store(env: dict[str, str]) -> Store:
    place = connect(env["INFERENCE_BUCKET"])
    fill(place, OBJECTS)
    return place


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


@pytest.fixture
def shelf(folder: Path) -> Shelf:
    return Shelf(folder, LIMIT * MIB)


def served(folder: Path) -> list[str]:
    return [name for name in versions(folder) if name.startswith("models--resnet50@")]


def until(true: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


@pytest.mark.usefixtures("store")
def test_what_is_named_comes_whole_and_nothing_else(env: dict[str, str], folder: Path) -> None:
    code, said = finish(env, command("fetch", folder, SERVED, PLAIN))
    assert (code, [line["message"] for line in said]) == (0, ["is here", "is here"])
    plain, resnet = versions(folder)
    assert holds(folder / resnet) == {
        path: digest for path, digest in digests(OBJECTS, SERVED).items() if not path.endswith("/")
    }
    assert holds(folder / plain) == {"model.onnx": digests(OBJECTS, PLAIN)[""]}
    assert not list((folder / ".coming").iterdir())
    before = {path: path.stat() for path in folder.rglob("*")}
    assert finish(env, command("fetch", folder, SERVED, PLAIN)) == (0, [])
    assert {path: path.stat().st_ino for path in folder.rglob("*")} == {p: s.st_ino for p, s in before.items()}


def test_a_change_in_the_bucket_is_another_version_which_shares_what_did_not_change(
    store: Store, folder: Path, shelf: Shelf
) -> None:
    assert warming.keep(store, shelf, [SERVED])
    [first] = versions(folder)
    with (folder / first / "files/1/model.plan").open("rb") as read:
        put(store, {f"{SERVED}2/model.plan": b"second"})
        store.client.delete_object(Bucket=BUCKET, Key=f"{SERVED}config.pbtxt")
        inode = os.fstat(read.fileno()).st_ino
        assert warming.keep(store, shelf, [SERVED])
    [second] = versions(folder)
    assert second != first
    assert set(holds(folder / second)) == {"1/model.plan", "2/model.plan"}
    assert (folder / second / "files/1/model.plan").stat().st_ino == inode, "not fetched again"


def test_what_a_process_holds_stays_until_the_process_is_gone(env: dict[str, str], store: Store, folder: Path) -> None:
    view, ready, shelf = folder.parent / "view", folder.parent / "ready", Shelf(folder, LIMIT * MIB)
    words = command("pin", folder, f"--view={view}", f"--ready={ready}", SERVED)
    with running(env, words) as server:
        until(ready.exists)
        [pinned] = versions(folder)
        assert (view / "resnet50").resolve() == (folder / pinned / "files").resolve()
        put(store, {f"{SERVED}1/model.plan": os.urandom(9 * MIB)})
        assert warming.keep(store, shelf, [SERVED])
        assert len(versions(folder)) == 2, "the new one is ahead, and the old one is read"
        assert warming.keep(store, shelf, [])
        assert versions(folder) == [pinned]
        server.send_signal(signal.SIGKILL)
        server.wait()
    assert warming.keep(store, shelf, [])
    assert versions(folder) == []


def test_a_server_that_starts_again_reads_what_it_read_before(env: dict[str, str], store: Store, folder: Path) -> None:
    view, ready = folder.parent / "view", folder.parent / "ready"
    words = command("pin", folder, f"--view={view}", f"--ready={ready}", SERVED)
    for attempt in range(3):
        with running(env, words) as server:
            until(ready.exists)
            assert holds(folder / served(folder)[0]) == {
                path: digest for path, digest in digests(OBJECTS, SERVED).items() if not path.endswith("/")
            }
            assert len(served(folder)) == 1
            put(store, {f"{SERVED}1/model.plan": b"over" * attempt})
            server.send_signal(signal.SIGTERM)
            assert server.wait(60) == 0
        ready.unlink()
    # Where it was removed meanwhile, the pod is as good as a new one.
    assert warming.keep(store, Shelf(folder, LIMIT * MIB), [])
    with running(env, words) as server:
        until(ready.exists)
        assert (view / "resnet50/1/model.plan").read_bytes() == b"overover"
        server.kill()


def test_the_warmer_follows_the_bucket_and_says_when_it_is_ready(
    env: dict[str, str], store: Store, folder: Path
) -> None:
    ready = folder.parent / "ready"
    with running(env, command("warm", folder, f"--ready={ready}", "--every=0.2", SERVED)) as warmer:
        until(ready.exists)
        [first] = versions(folder)
        store.client.delete_object(Bucket=BUCKET, Key=f"{SERVED}1/model.plan")
        store.client.delete_object(Bucket=BUCKET, Key=f"{SERVED}config.pbtxt")
        store.client.delete_object(Bucket=BUCKET, Key=f"{SERVED}1/")
        until(lambda: not ready.exists())
        assert versions(folder) == [first], "what S3 does not know is no reason to remove anything"
        put(store, {f"{SERVED}1/model.plan": b"new"})
        until(ready.exists)
        until(lambda: versions(folder) != [first] and len(versions(folder)) == 1)
        warmer.send_signal(signal.SIGTERM)
        assert warmer.wait(60) == 0
        assert any("there is no such model" in line["message"] for line in lines(warmer))


@pytest.mark.usefixtures("store")
def test_more_than_the_limit_does_not_come(env: dict[str, str], folder: Path) -> None:
    code, said = finish(env, command("fetch", folder, SERVED, PLAIN, limit=9))
    assert code == 0, "who needs it reads the bucket"
    assert [line["level"] for line in said] == ["error", "info"]
    assert (
        "NoRoom: models/resnet50/: with it there were 9,437,200 bytes, and 9,437,184 are for models"
        in (said[0]["message"])
    )
    assert versions(folder) == [name for name in versions(folder) if "plain" in name] != []
    assert not list((folder / ".coming").iterdir()), "nothing half is left"


def test_what_is_no_longer_named_makes_room(store: Store, folder: Path) -> None:
    shelf = Shelf(folder, 9 * MIB + 1000)
    assert warming.keep(store, shelf, [PLAIN])
    assert warming.keep(store, shelf, [SERVED])
    assert versions(folder) == served(folder) != []


def test_a_disk_that_others_need_is_left_alone(store: Store, folder: Path) -> None:
    shelf = Shelf(folder, LIMIT * MIB, free_share=1.0)
    with pytest.raises(NoRoom, match=r"models/plain.*: 1,048,576 bytes are to come, and the disk has room for 0"):
        shelf.fetch(store, bucket_models.version(store, PLAIN))


TINY_DISK = 'mount -t tmpfs -o size=4m tmpfs "$0" && exec "$@"'


@pytest.mark.usefixtures("store")
def test_a_full_disk_leaves_nothing_half(env: dict[str, str], folder: Path) -> None:
    """The file system says that there is room when it is asked, and is full before the model is there."""
    program = (
        "import sys; from collections import namedtuple; from pathlib import Path; import shutil;"
        "shutil.disk_usage = lambda _: namedtuple('Usage', 'total used free')(10**9, 0, 10**9);"
        "from inference_worker import warming, shelf, store;"
        f"it = shelf.Shelf(Path(sys.argv[1]), {LIMIT * MIB}); place = store.connect('{BUCKET}');"
        f"warming.fetch(place, it, ['{SERVED}', '{PLAIN}']);"
        "print([each.name for each in it.folder.rglob('*') if each.is_file()])"
    )
    python = command("", folder)[0]
    words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", TINY_DISK, str(folder), python, "-c"]
    if subprocess.run([*words[:4], "true"], check=False, capture_output=True).returncode:
        pytest.skip("a file system of one's own needs user namespaces")
    done = subprocess.run([*words, program, str(folder)], env=env, capture_output=True, text=True, check=True)
    first, second, left = done.stdout.splitlines()
    assert "NoRoom: models/resnet50/: the disk is full" in first
    assert "is here" in second
    assert left == "['files.json', 'model.onnx']"


def test_a_model_that_changes_under_way_is_not_taken_for_what_it_was(
    store: Store, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, count, other = Store.download, list[str](), os.urandom(MIB)  # as many bytes as before

    def download(self: Store, key: str, file: Path) -> None:
        if not count:
            put(store, {key: other})
        count.append(key)
        real(self, key, file)

    monkeypatch.setattr(Store, "download", download)
    before = bucket_models.version(store, PLAIN)
    with pytest.raises(Changed):
        shelf.fetch(store, before)
    assert shelf.hold(before.folder) is None
    count.clear()
    assert warming.keep(store, shelf, [PLAIN])
    [now] = versions(shelf.folder)
    assert holds(shelf.folder / now) == {"model.onnx": digests({PLAIN: other}, PLAIN)[""]}
    assert not list((shelf.folder / ".coming").iterdir())


@pytest.mark.parametrize("key", [f"{SERVED}../../etc/passwd", f"{SERVED}1//model.plan", f"{SERVED}./x"])
def test_a_key_that_would_leave_the_folder_is_refused(store: Store, key: str) -> None:
    class Listed(Store):
        """As S3 may list it; moto takes no such key."""

        def objects(self, _: str) -> Iterator[Object]:
            yield Object(key, 1, "1")

    with pytest.raises(BadInput, match="is no path of a file"):
        bucket_models.version(Listed(BUCKET, store.client), SERVED)


def test_a_batch_reads_the_nodes_own_copy_and_the_bucket_without_one(
    env: dict[str, str], store: Store, folder: Path, tmp_path: Path
) -> None:
    model, movie = make_model(tmp_path / "m.onnx"), make_movie(tmp_path / "a.mp4", [RED])
    put(store, {PLAIN: model.read_bytes(), f"{INPUT}a.mp4": movie.read_bytes()})
    told = env | {"INFERENCE_MODEL": PLAIN, "INFERENCE_MODELS_FOLDER": str(folder)}
    code, said = finish_batch(told)
    assert (code, frames(store)) == (0, {"a.mp4": [0]}), said
    finish(env, command("fetch", folder, PLAIN))
    # A copy that is no model shows who is read: as long as the bucket says that it is the same version.
    (folder / versions(folder)[0] / "files/model.onnx").write_bytes(b"no model")
    code, said = finish_batch(told | {"INFERENCE_OUTPUT": "results/again/"})
    assert (code, said[-1]["level"]) == (65, "error")
    assert "is no model that can be loaded" in said[-1]["message"]
    put(store, {PLAIN: make_model(tmp_path / "n.onnx", ("batch", 3, 32, 32)).read_bytes()})
    assert finish_batch(told | {"INFERENCE_OUTPUT": "results/new/"})[0] == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"INFERENCE_BUCKET": ""}, "INFERENCE_BUCKET: is not set"),
        ({}, "there is no such folder (nodes make it when they boot)"),
    ],
)
def test_what_is_told_wrong_is_said(env: dict[str, str], tmp_path: Path, change: dict[str, str], words: str) -> None:
    folder = tmp_path if change else tmp_path / "nowhere"
    code, said = finish(env | change, command("warm", folder))
    assert code == 65
    assert words in said[-1]["message"]
