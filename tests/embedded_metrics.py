"""What CloudWatch makes metrics of: its embedded metric format, as a schema, and what the schema cannot say.

Source: CloudWatch user guide, "Specification: Embedded metric format", and the API reference of MetricDatum for units,
2026-08. An event that is not of this form is kept as a line of a log, and nobody is told.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs

SIZES = (
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
)
UNITS = {
    *("Seconds", "Microseconds", "Milliseconds", "Percent", "Count", "Count/Second", "None"),
    *SIZES,
    *(f"{size}/Second" for size in SIZES),
}
NAME = {"type": "string", "minLength": 1, "maxLength": 1024}
METRIC = {
    "type": "object",
    "required": ["Name"],
    "properties": {"Name": NAME, "Unit": {"enum": sorted(UNITS)}, "StorageResolution": {"enum": [1, 60]}},
}
DIRECTIVE = {
    "type": "object",
    "required": ["Namespace", "Dimensions", "Metrics"],
    "properties": {
        "Namespace": NAME,
        "Dimensions": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "array", "maxItems": 30, "uniqueItems": True, "items": {**NAME, "maxLength": 250}},
        },
        "Metrics": {"type": "array", "minItems": 1, "maxItems": 100, "items": METRIC},
    },
}
SCHEMA = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "properties": {
                "Timestamp": {"type": "integer"},
                "CloudWatchMetrics": {"type": "array", "minItems": 1, "items": DIRECTIVE},
            },
        }
    },
}
DAY_MS = 86_400_000


def faults(message: str, now_ms: int) -> list[str]:
    """Why CloudWatch would make no metric of an event, or not the ones that are meant."""
    try:
        event = json.loads(message)
    except ValueError:
        return ["it is no JSON"]
    found = [each.message for each in jsonschema_rs.validator_for(SCHEMA).iter_errors(event)]
    return found or [*_amiss(event, now_ms)]


def _amiss(event: dict[str, Any], now_ms: int) -> Iterator[str]:
    stamp = event["_aws"]["Timestamp"]
    if not now_ms - 14 * DAY_MS < stamp < now_ms + DAY_MS // 12:
        yield f"{stamp} is not of the last two weeks, in milliseconds"
    for about in event["_aws"]["CloudWatchMetrics"]:
        for name in {name for dimensions in about["Dimensions"] for name in dimensions}:
            if not isinstance(event.get(name), str) or not 0 < len(event[name]) <= 1024:
                yield f"dimension {name} has no text beside it"
        for metric in about["Metrics"]:
            value = event.get(metric["Name"])
            if isinstance(value, bool) or not isinstance(value, int | float):
                yield f"metric {metric['Name']} has no number beside it"
