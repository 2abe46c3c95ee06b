"""Many pods of a node that want the same models at once, killed at random moments: nobody ever sees half a model."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
from inference_worker.store import Store, connect

from tests.aws.server import serving
from tests.worker_batch import KEYS, environment, fill
from tests.worker_warming import PLAIN, SERVED, command, digests, finish, holds, lines, put, running, start, versions

MIB = 2**20
OBJECTS = {
    f"{SERVED}config.pbtxt": b"name: 'resnet50'",
    **{f"{SERVED}{number}/model.plan": os.urandom(9 * MIB) for number in (1, 2)},
    PLAIN: os.urandom(20 * MIB),
}
SIZE = sum(map(len, OBJECTS.values()))
PODS, KILLS, LIMIT = 6, 40, 256


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


@pytest.mark.usefixtures("store")
def test_pods_that_start_at_once_fetch_a_model_once(env: dict[str, str], folder: Path) -> None:
    pods = [start(env, command("fetch", folder, SERVED, PLAIN, limit=LIMIT)) for _ in range(PODS)]
    said = [line for pod in pods for line in lines(pod)]
    assert [pod.wait(60) for pod in pods] == [0] * PODS
    assert {line["message"] for line in said} == {"is here"}
    assert sum(line["fetched"] for line in said) == SIZE, "all of it, and once"
    assert {tuple(sorted(holds(folder / each).values())) for each in versions(folder)} == {
        tuple(sorted(digests(OBJECTS, prefix).values())) for prefix in (SERVED, PLAIN)
    }


class Watch:
    """A reader that looks at all that the folder offers, again and again, as a pod does that starts at any moment."""

    def __init__(self, folder: Path, whole: list[dict[str, str]]) -> None:
        self.folder, self.whole, self.seen, self.wrong = folder, whole, Counter[str](), list[str]()
        self.over = Event()
        self.thread = Thread(target=self.look)

    def look(self) -> None:
        while not self.over.is_set():
            for name in versions(self.folder):
                try:
                    found = self.sizes(name)
                except FileNotFoundError:
                    continue  # removed between two looks; who reads a version holds its lock
                self.seen[name] += 1
                if found not in self.whole and (self.folder / name).exists():
                    self.wrong.append(f"{name}: {found}")

    def sizes(self, name: str) -> dict[str, str]:
        files = self.folder / name / "files"
        return {p.relative_to(files).as_posix(): str(p.stat().st_size) for p in files.rglob("*") if p.is_file()}

    def __enter__(self) -> Watch:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()


def sizes(objects: dict[str, bytes], prefix: str) -> dict[str, str]:
    return {key.removeprefix(prefix) or "model.onnx": str(len(body)) for key, body in objects.items() if prefix in key}


def test_forty_kills_at_random_moments_leave_nothing_half(env: dict[str, str], store: Store, folder: Path) -> None:
    chance, alive = random.Random(7), list[subprocess.Popen[str]]()  # noqa: S311 (the same every time)
    other = {**OBJECTS, f"{SERVED}3/model.plan": os.urandom(5 * MIB)}
    whole = [sizes(OBJECTS, SERVED), sizes(other, SERVED), sizes(OBJECTS, PLAIN)]
    ends = Counter[int]()
    ways = [
        command("warm", folder, "--every=0.3", f"--ready={folder.parent}/ready", SERVED, PLAIN, limit=LIMIT),
        command("warm", folder, "--every=0.3", f"--ready={folder.parent}/ready", PLAIN, limit=LIMIT),
        command("fetch", folder, SERVED, PLAIN, limit=LIMIT),
        command("pin", folder, f"--view={folder.parent}/view", SERVED, limit=LIMIT),
    ]
    with Watch(folder, whole) as watch:
        for number in range(10 * KILLS):
            if number >= KILLS and len(watch.seen) == len(whole):
                break  # a busy machine needs longer to have seen them all
            alive.append(start(env, chance.choice(ways)))
            if len(alive) == PODS:
                pod = alive.pop(chance.randrange(PODS))
                pod.send_signal(chance.choice([signal.SIGKILL, signal.SIGTERM]))
                ends[pod.wait(60)] += 1
            if number == KILLS // 2:
                put(store, {f"{SERVED}3/model.plan": other[f"{SERVED}3/model.plan"]})
            time.sleep(chance.uniform(0, 0.6))
        for pod in alive:
            pod.kill()
            ends[pod.wait(60)] += 1
    assert watch.wrong == []
    assert len(watch.seen) == len(whole), "two versions of the one, and the other"
    assert ends[-signal.SIGKILL] > 5, ends
    code, said = finish(env, command("fetch", folder, SERVED, PLAIN, limit=LIMIT))
    assert code == 0, said
    held = [holds(folder / each) for each in versions(folder)]
    assert digests(other, SERVED) in held
    assert {"model.onnx": digests(OBJECTS, PLAIN)[""]} in held


@pytest.mark.usefixtures("store")
def test_who_comes_after_a_killed_one_goes_on_where_that_was(env: dict[str, str], folder: Path) -> None:
    with running(env, command("fetch", folder, SERVED, limit=LIMIT)) as first:
        end = time.monotonic() + 30
        while not [path for path in folder.glob(".coming/*/files/*/model.plan") if path.is_file()]:
            assert time.monotonic() < end, "no file was there before the model was"
            if versions(folder):
                pytest.fail("it was faster than we can look")
        first.kill()
    assert versions(folder) == []
    code, said = finish(env, command("fetch", folder, SERVED, limit=LIMIT))
    assert code == 0
    assert 0 <= said[-1]["fetched"] <= 9 * MIB + 100, "what was there was not fetched again"
    assert holds(folder / versions(folder)[0]) == digests(OBJECTS, SERVED)
