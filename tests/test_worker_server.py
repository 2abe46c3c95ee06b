"""A model at a server. Triton cannot run here: a stand-in speaks its protocol, and asks onnxruntime for the answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from inference_worker import server
from inference_worker.errors import BadInput
from inference_worker.model import Model, load

from tests.movies import BLUE, GREEN, LABELS, RED, make_model

IMAGES = [np.full((8, 12, 3), colour, dtype=np.uint8) for colour in (RED, GREEN, BLUE)]
LENGTH = "Inference-Header-Content-Length"


class StandIn(BaseHTTPRequestHandler):
    """KServe's protocol, version 2, with binary tensors, for one model."""

    model: Model
    refuse: list[int] = []
    """Answers to give before good ones."""

    def do_GET(self) -> None:
        tensor = {"name": "images", "datatype": "FP32", "shape": [-1, 3, -1, -1]}
        about = {"inputs": [tensor], "outputs": [{"name": "scores", "datatype": "FP32", "shape": [-1, 3]}]}
        answers = {
            "/v2/models/colours/ready": {},
            "/v2/models/colours": about,
            "/v2/models/colours/config": {"parameters": {"labels": {"string_value": json.dumps(LABELS)}}},
        }
        found = answers.get(self.path)
        self.answer(self.refuse.pop() if self.refuse else 200 if found is not None else 400, found)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.refuse:
            return self.answer(self.refuse.pop(), {"error": "as asked for"})
        split = int(self.headers[LENGTH])
        (given,) = json.loads(body[:split])["inputs"]
        assert given["parameters"]["binary_data_size"] == len(body) - split
        values = np.frombuffer(body[split:], "<f4").reshape(given["shape"])
        scores = self.model.session.run(None, {given["name"]: values})[0]
        size = {"parameters": {"binary_data_size": scores.nbytes}}
        head = {"outputs": [{"name": "scores", "datatype": "FP32", "shape": list(scores.shape), **size}]}
        return self.answer(200, head, scores.tobytes())

    def answer(self, status: int, head: object, binary: bytes = b"") -> None:
        text = json.dumps(head).encode()
        self.send_response(status)
        self.send_header(LENGTH, str(len(text)))
        self.send_header("Content-Length", str(len(text) + len(binary)))
        self.end_headers()
        self.wfile.write(text + binary)

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    StandIn.model, StandIn.refuse = load(make_model(tmp_path / "m.onnx"), "m"), []
    http = ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{http.server_port}"
    http.shutdown()
    http.server_close()


def test_a_server_says_what_the_process_itself_would(address: str) -> None:
    assert server.connect(address, "colours").predict(IMAGES) == StandIn.model.predict(IMAGES)


def test_a_server_that_tells_no_configuration_is_asked_without(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """KServe's protocol has none; it is Triton's own."""
    answered = StandIn.do_GET
    monkeypatch.setattr(
        StandIn, "do_GET", lambda self: self.answer(404, None) if self.path.endswith("/config") else answered(self)
    )
    found = server.connect(address, "colours").predict(IMAGES)
    assert [each.score for each in found] == [each.score for each in StandIn.model.predict(IMAGES)]


def test_a_server_that_is_busy_or_away_for_a_moment_is_asked_again(address: str) -> None:
    model = server.connect(address, "colours")
    StandIn.refuse = [503, 429]
    assert [each.label for each in model.predict(IMAGES)] == ["red", "green", "blue"]
    assert StandIn.refuse == []


def test_a_request_that_is_wrong_is_bad_input(address: str) -> None:
    model = server.connect(address, "colours")
    assert model.predict(IMAGES)
    StandIn.refuse = [400]
    with pytest.raises(BadInput, match=r"the server says 400: .*as asked for"):
        model.predict(IMAGES)


def test_a_model_that_does_not_get_ready_is_worth_another_attempt(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "READY_SECONDS", 0.1)
    monkeypatch.setattr(server, "POLL_SECONDS", 0.05)
    with pytest.raises(ConnectionError, match="not ready; does the server know this model"):
        server.connect(address, "shapes")
