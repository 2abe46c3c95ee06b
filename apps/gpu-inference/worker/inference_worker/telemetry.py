"""What a worker tells: a line of JSON a fact, and metrics in CloudWatch's embedded format, both on stdout.

The format: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
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
    """Counts since they were last told. `dimensions` are few: each combination is a metric that is paid for."""

    def __init__(self, **dimensions: str) -> None:
        self._dimensions = dimensions
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
        metrics = [{"Name": name, "Unit": UNITS[name]} for name in self._counts]
        about = {"Namespace": NAMESPACE, "Dimensions": [list(self._dimensions)], "Metrics": metrics}
        values = {name: round(value, 3) for name, value in self._counts.items()}
        stamp = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [about]}
        _line({"_aws": stamp, **self._dimensions, **values})
        self._counts.clear()


def _line(facts: dict[str, object]) -> None:
    with _lock:
        sys.stdout.write(f"{json.dumps(facts, ensure_ascii=False, default=str)}\n")
        sys.stdout.flush()
