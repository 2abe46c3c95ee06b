"""AWS's stand-in for the spot mix: a moto server behind a gate that counts calls, and can refuse or hold some.

moto makes no Auto Scaling group for a node group, and its UpdateAutoScalingGroup forgets whatever a call leaves out.
AWS keeps that (API reference: "Any properties that you don't specify are not changed"); so does `update` here, in the
strictest reading: a part of the policy that is sent replaces that part as a whole.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs

import requests
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

QUERY_ERROR = "<ErrorResponse><Error><Code>{code}</Code><Message>{code}</Message></Error></ErrorResponse>"


class Gate:
    """What lies between a client and moto. `refuse`: action to (error code, how many calls yet). `hold_after`: the
    number of UpdateAutoScalingGroup calls that are let through before the next ones wait for ever."""

    def __init__(self) -> None:
        self.app = DomainDispatcherApplication(create_backend_app)
        self.calls: Counter[str] = Counter()
        self.refuse: dict[str, tuple[str, int]] = {}
        self.hold_after = sys.maxsize
        self.held = Event()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        action = _action(environ["PATH_INFO"], body)
        self.calls[action] += 1
        if action == "UpdateAutoScalingGroup" and self.calls[action] > self.hold_after:
            self.held.set()
            Event().wait()
        code, left = self.refuse.get(action, ("", 0))
        if not left:
            found: Iterable[bytes] = self.app(environ, start_response)
            return found
        self.refuse[action] = (code, left - 1)
        kind = "application/json" if environ["PATH_INFO"] != "/" else "text/xml"
        start_response("400 Bad Request", [("Content-Type", kind), ("x-amzn-ErrorType", code)])
        return [(json.dumps({"message": code}) if kind.endswith("json") else QUERY_ERROR.format(code=code)).encode()]


def _action(path: str, body: bytes) -> str:
    if re.fullmatch(r"/clusters/[^/]+/node-groups/[^/]+", path):
        return "DescribeNodegroup"
    return parse_qs(body.decode(errors="replace")).get("Action", [path])[0]


def update(response: AutoScalingResponse) -> ActionResult:
    """UpdateAutoScalingGroup as AWS documents it."""
    group = response.autoscaling_backend.autoscaling_groups[response._get_param("AutoScalingGroupName")]
    policy = response._get_param("MixedInstancesPolicy") or {}
    held: dict[str, Any] = group.mixed_instances_policy or {}
    held["LaunchTemplate"] |= policy.get("LaunchTemplate", {})
    held["InstancesDistribution"] = policy.get("InstancesDistribution", held["InstancesDistribution"])
    rebalance = response._get_bool_param("CapacityRebalance", None)
    group.capacity_rebalance = group.capacity_rebalance if rebalance is None else rebalance
    return EmptyResult()


@contextmanager
def serving() -> Iterator[tuple[Gate, str]]:
    """The gate before an empty AWS, and its URL."""
    gate = Gate()
    server = make_server("127.0.0.1", 0, gate, threaded=True, request_handler=MotoRequestHandler)
    server.daemon_threads = True  # type: ignore[attr-defined]  # a held call must not hold the tests
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    original = AutoScalingResponse.update_auto_scaling_group
    AutoScalingResponse.update_auto_scaling_group = update  # type: ignore[method-assign, assignment]
    try:
        requests.post(f"{url}/moto-api/reset", timeout=60)
        yield gate, url
    finally:
        AutoScalingResponse.update_auto_scaling_group = original  # type: ignore[method-assign]
        server.shutdown()
