"""Whose rights a worker takes: a web identity's, and never the node's, whose metadata a listener here stands in for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import botocore.session
import pytest
from inference_worker import identity
from inference_worker.errors import BadInput
from inference_worker.store import connect

from tests.aws.server import serving
from tests.movies import RED, make_model, make_movie
from tests.worker_batch import BUCKET, INPUT, KEYS, MODEL, environment, fill, finish, frames

SESSIONS, AT_ONCE = 1000, 16
ROLE = "arn:aws:iam::123456789012:role/demo-gpu-inference-gpu-inference"


class Trap(BaseHTTPRequestHandler):
    """Instance metadata that would give the node's rights to whoever asks, and counts who does."""

    asked: list[str] = []

    def answer(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"token")

    do_GET = do_PUT = answer  # noqa: N815 (http.server's names)

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""


@pytest.fixture
def trap() -> Iterator[str]:
    Trap.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Trap)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with serving("123456789012") as url:
        yield url


@pytest.fixture
def pod(endpoint: str, trap: str, tmp_path: Path) -> dict[str, str]:
    """What EKS and the manifests give a pod, and metadata that is there to be asked."""
    token = tmp_path / "token"
    token.write_text("header.payload.signature")
    web = {"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": str(token), "AWS_STS_REGIONAL_ENDPOINTS": "regional"}
    home = {"HOME": str(tmp_path), "AWS_EC2_METADATA_SERVICE_ENDPOINT": trap}
    return environment(endpoint, **web, **home)


def use(monkeypatch: pytest.MonkeyPatch, env: dict[str, str]) -> None:
    for name in (*identity.BEFORE_IT, "AWS_EC2_METADATA_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)


def test_a_thousand_sessions_start_and_none_asks_the_node(pod: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    identity.settle(pod, laptop=False)
    use(monkeypatch, pod)
    models = botocore.session.get_session().get_component("data_loader")  # read once: they are the same for all

    def access_key(_: int) -> str:
        session = botocore.session.get_session()
        session.register_component("data_loader", models)
        credentials = session.get_credentials()
        assert credentials is not None
        assert credentials.method == "assume-role-with-web-identity"
        return str(credentials.get_frozen_credentials().access_key)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        keys = list(pool.map(access_key, range(SESSIONS)))
    assert len(set(keys)) == SESSIONS, "each session is STS's own"
    assert all(key.startswith("ASIA") for key in keys), "for a time"
    assert Trap.asked == []


def test_without_a_web_identity_the_node_would_be_asked_but_for_us(
    pod: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    del pod["AWS_ROLE_ARN"], pod["AWS_WEB_IDENTITY_TOKEN_FILE"]
    use(monkeypatch, pod)
    monkeypatch.delenv("AWS_ROLE_ARN", raising=False)
    monkeypatch.delenv("AWS_WEB_IDENTITY_TOKEN_FILE", raising=False)
    botocore.session.get_session().get_credentials()
    assert Trap.asked, "the trap works"
    Trap.asked.clear()
    code, said = finish(pod, options=())
    assert (code, Trap.asked) == (65, [])
    assert "there is no web identity, and nothing else is taken" in said[-1]["message"]
    code, said = finish(pod, options=("--laptop",))
    assert (code, Trap.asked) == (1, []), "a laptop's chain does not end at metadata either"


def test_a_shard_by_web_identity(pod: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(monkeypatch, pod | KEYS)
    place = connect(BUCKET)
    movie, model = make_movie(tmp_path / "a.mp4", [RED]), make_model(tmp_path / "m.onnx")
    fill(place, {f"{INPUT}a.mp4": movie.read_bytes(), MODEL: model.read_bytes()})
    code, said = finish(pod, options=())
    assert code == 0, said
    assert frames(place) == {"a.mp4": [0]}
    assert Trap.asked == []


@pytest.mark.parametrize("name", identity.BEFORE_IT)
def test_keys_and_profiles_are_refused_in_a_pod(pod: dict[str, str], name: str) -> None:
    with pytest.raises(BadInput, match=f"{name}: a pod must not hold keys or a profile of AWS .*--laptop"):
        identity.settle(pod | {name: "x"}, laptop=False)


def test_a_token_that_is_not_there_is_told(pod: dict[str, str]) -> None:
    with pytest.raises(BadInput, match="there is no `/nowhere/token`"):
        identity.settle(pod | {"AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere/token"}, laptop=False)
