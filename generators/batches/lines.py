"""A worker's lines, which are JSON, for people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

METRICS = "_aws"
"""Key of a line in CloudWatch's embedded metric format."""
HEAD = ("time", "level", "message", "trace")


def readable(line: str) -> Iterator[str]:
    """The line as a person reads it, in one line, or more with a traceback; what is no JSON as it is."""
    try:
        facts = json.loads(line)
    except ValueError:
        yield line
        return
    if not isinstance(facts, dict):
        yield line
    elif METRICS in facts:
        yield _metrics(facts)
    elif "message" not in facts:
        yield line
    else:
        told = [_clock(str(facts.get("time", ""))), f"{facts.get('level', 'info'):7}", str(facts["message"])]
        yield "  ".join(filter(None, [" ".join(filter(None, told)), _pairs(facts, HEAD)]))
        yield from (f"    {each}" for each in str(facts.get("trace", "")).splitlines())


def _metrics(facts: dict[str, Any]) -> str:
    """The values of one line of metrics; its dimensions are the same in all of them."""
    about = facts[METRICS].get("CloudWatchMetrics", [{}])[0]
    dimensions = [name for each in about.get("Dimensions", []) for name in each]
    stamp = facts[METRICS].get("Timestamp")
    return f"{_moment(stamp)} metrics {_pairs(facts, (METRICS, *dimensions))}".strip()


def _moment(milliseconds: object) -> str:
    from datetime import UTC, datetime

    if not isinstance(milliseconds, int):
        return ""
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%m-%d %H:%M:%S}"


def _clock(time: str) -> str:
    """`2026-11-24T10:00:00.123+00:00` without year and milliseconds."""
    return time[5:19].replace("T", " ")


def _pairs(facts: dict[str, Any], without: tuple[str, ...]) -> str:
    return " ".join(f"{key}={_value(value)}" for key, value in facts.items() if key not in without)


def _value(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return json.dumps(text, ensure_ascii=False) if " " in text and isinstance(value, str) else text
