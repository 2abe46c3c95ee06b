"""What a worker tells: a line of JSON a fact, and metrics in CloudWatch's embedded format, both on stdout.

The format: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from threading import Lock

NAMESPACE = "InferenceFleet/Worker"
UNITS = {
    "Frames": "Count",
    "Movies": "Count",
    "MoviesAtFault": "Count",
    "MoviesSkipped": "Count",
    "BytesRead": "Bytes",
    "PredictSeconds": "Seconds",
    "WaitSeconds": "Seconds",
    "Seconds": "Seconds",
}
"""Metrics and their units. WaitSeconds: the model had nothing to do; Seconds: all of the time they were counted in."""
_lock = Lock()


def say(message: str, level: str = "info", **facts: object) -> None:
    """One line of JSON: time, level, message, then the facts."""
    _line({"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "level": level, "message": message, **facts})


class Metrics:
    """Counts since they were last told, summed by the first dimension, by the first two, and so on.

    `dimensions` are few and say the same at each run: each combination is eight metrics that are paid for. Nor may one
    name a pod, which `properties` may: the log keeps them, and no metric is made of them. Empty ones are left out.
    """

    def __init__(self, dimensions: Mapping[str, str] | None = None, **properties: str) -> None:
        self._dimensions = {name: value for name, value in (dimensions or {}).items() if value}
        self._properties = properties
        self._counts: Counter[str] = Counter()
        self._since = time.monotonic()

    def count(self, **more: float) -> None:
        """Adds to metrics by name, one of UNITS."""
        for name, value in more.items():
            self._counts[name] += value  # type: ignore[assignment] # a Counter of seconds, too

    def tell(self) -> None:
        """Writes what was counted, and begins anew."""
        now = time.monotonic()
        self.count(Seconds=now - self._since)
        self._since = now
        # All of them, each time: a share of a metric that is not there would be unknown, not zero.
        metrics = [{"Name": name, "Unit": unit} for name, unit in UNITS.items()]
        names = list(self._dimensions)
        sets = [names[: count + 1] for count in range(len(names))] or [[]]
        about = {"Namespace": NAMESPACE, "Dimensions": sets, "Metrics": metrics}
        values = {name: round(self._counts[name], 3) for name in UNITS}
        # First, as by it Fluent Bit knows the line.
        stamp = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [about]}
        _line({"_aws": stamp, **self._properties, **self._dimensions, **values})
        self._counts.clear()


def _line(facts: dict[str, object]) -> None:
    with _lock:
        sys.stdout.write(f"{json.dumps(facts, ensure_ascii=False, default=str)}\n")
        sys.stdout.flush()
