"""A model at a server that speaks KServe's protocol, version 2, over HTTP with binary tensors, as Triton does.

A client of our own: Triton's brings gevent or gRPC, and says no more than this protocol:
github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
What else there is to know of a model stands in the parameters of its config.pbtxt, by the keys of ONNX metadata.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np
import urllib3

from inference_worker.errors import BadInput
from inference_worker.model import Floats, Model, check_input

JSON_LENGTH = "Inference-Header-Content-Length"
RETRIES = urllib3.Retry(
    total=8, backoff_factor=0.5, status_forcelist=(429, 502, 503, 504), allowed_methods=frozenset({"GET", "POST"})
)
"""Some two minutes: a server that starts, or moves, is worth waiting for. Asking twice changes nothing."""
READY_SECONDS, POLL_SECONDS = 300.0, 2.0
TIMEOUT = urllib3.Timeout(connect=5, read=60)


@dataclass(frozen=True)
class Server:
    """One model at `host:port`; it is asked as an onnxruntime session is."""

    address: str
    model: str
    http: urllib3.PoolManager

    def get_inputs(self) -> Sequence[Any]:
        """Name, type and shape of each input, in onnxruntime's words."""
        words = {"FP32": "float"}
        return [
            SimpleNamespace(
                name=each["name"],
                type=f"tensor({words.get(each['datatype'], each['datatype'].lower())})",
                shape=[side if int(side) > 0 else None for side in each["shape"]],
            )
            for each in self._about["inputs"]
        ]

    def get_modelmeta(self) -> Any:
        """The parameters of its configuration; none where the server, unlike Triton, tells no configuration."""
        answer = self.http.request("GET", f"{self._url}/config")
        given = {} if answer.status == 404 else self._json("/config").get("parameters", {})
        return SimpleNamespace(custom_metadata_map={key: each["string_value"] for key, each in given.items()})

    def run(self, output_names: None, input_feed: dict[str, Floats]) -> list[Floats]:  # noqa: ARG002 (as onnxruntime)
        """The first output. Raises BadInput where the server refuses the request."""
        ((name, values),) = input_feed.items()
        tensor = {
            "name": name,
            "shape": values.shape,
            "datatype": "FP32",
            "parameters": {"binary_data_size": values.nbytes},
        }
        wanted = {"name": self._about["outputs"][0]["name"], "parameters": {"binary_data": True}}
        head = json.dumps({"inputs": [tensor], "outputs": [wanted]}).encode()
        answer = self._ask("POST", "/infer", head + values.astype("<f4").tobytes(), {JSON_LENGTH: str(len(head))})
        split = int(answer.headers[JSON_LENGTH])
        shape = json.loads(answer.data[:split])["outputs"][0]["shape"]
        return [np.frombuffer(answer.data[split:], "<f4").reshape(shape)]

    def wait(self, until: float) -> None:
        """Until the model is ready. Raises ConnectionError where it is not by then: it may be there next time."""
        url = f"{self._url}/ready"
        while self.http.request("GET", url).status != 200:
            if time.monotonic() > until:
                raise ConnectionError(f"{url}: not ready; does the server know this model, and did it load?")
            time.sleep(POLL_SECONDS)

    @property
    def _url(self) -> str:
        return f"http://{self.address}/v2/models/{self.model}"

    @cached_property
    def _about(self) -> dict[str, Any]:
        return self._json("")

    def _json(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._ask("GET", path).data)
        return found

    def _ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> urllib3.BaseHTTPResponse:
        url = f"{self._url}{path}"
        answer = self.http.request(method, url, body=body, headers=headers)
        if 400 <= answer.status < 500:
            raise BadInput(url, f"the server says {answer.status}: {answer.data[:500].decode(errors='replace')}")
        if answer.status != 200:
            raise ConnectionError(f"{url}: {answer.status}")
        return answer


def connect(address: str, model: str) -> Model:
    """The model at a server; waits while it is not ready. Raises BadInput where it is unknown or takes no images."""
    http = urllib3.PoolManager(retries=RETRIES, timeout=TIMEOUT)
    server = Server(address, model, http)
    name = f"{model} at {address}"
    server.wait(time.monotonic() + READY_SECONDS)
    check_input(server, name)
    return Model(server, name)
