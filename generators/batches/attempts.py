"""Pods of a Job: each is an attempt at one shard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from generators.batches.live import INDEX, JOB, Live, Object

ENDS = {
    0: "done",
    65: "bad input: no other attempt is made",
    75: "stopped, its place saved",
    137: "killed, or out of memory",
}
"""Exit codes of a worker, in words: apps/gpu-inference/worker."""


@dataclass(frozen=True)
class Attempt:
    """A pod. `number` counts the attempts at its shard that are there, from 1; `of` is how many; `end` in words."""

    pod: str
    shard: int
    number: int
    of: int
    phase: str
    end: str
    started: bool
    """Whether its container has begun, so that there is something to read."""

    @property
    def title(self) -> str:
        """`shard 3, attempt 1 of 2: exit code 1`."""
        which = f", attempt {self.number} of {self.of}" if self.of > 1 else ""
        return f"shard {self.shard}{which}: {self.end}"


def attempts(live: Live, job: str, shard: int | None = None) -> list[Attempt]:
    """By shard, then as they were made. Raises FleetError."""
    chosen = f"{JOB}={job}" + ("" if shard is None else f",{INDEX}={shard}")
    pods = [each for each in live.listed("pods", chosen) if _index(each) is not None]
    pods.sort(key=lambda each: (_index(each), each["metadata"]["creationTimestamp"], each["metadata"]["name"]))
    of, seen = Counter(map(_index, pods)), Counter[int | None]()
    found = []
    for each in pods:
        index = _index(each)
        seen[index] += 1
        found.append(_attempt(each, index or 0, seen[index], of[index]))
    return found


def why(found: list[Attempt]) -> Iterator[str]:
    """What ended attempts that were not done, and what others wait for: each reason once, with its shards."""
    shards: dict[str, list[int]] = {}
    for each in found:
        if each.phase in {"Failed", "Pending"}:
            shards.setdefault(each.end, []).append(each.shard)
    for end, those in shards.items():
        yield f"{ranges(those)}: {end}"


def ranges(numbers: list[int]) -> str:
    """`shard 3`, `shards 1,3-5`."""
    spans: list[list[int]] = []
    for number in sorted(set(numbers)):
        if spans and number == spans[-1][-1] + 1:
            spans[-1][1:] = [number]
        else:
            spans.append([number])
    text = ",".join("-".join(map(str, span)) for span in spans)
    return f"shard{'s' if len(set(numbers)) > 1 else ''} {text}"


def _index(pod: Object) -> int | None:
    found = pod["metadata"].get("labels", {}).get(INDEX, "")
    return int(found) if found.isdigit() else None


def _attempt(pod: Object, shard: int, number: int, of: int) -> Attempt:
    status = pod.get("status", {})
    states = [each.get("state", {}) for each in status.get("containerStatuses", [])]
    started = any("running" in state or "terminated" in state for state in states)
    phase = status.get("phase", "Pending")
    return Attempt(pod["metadata"]["name"], shard, number, of, phase, _end(status, states), started)


def _end(status: Object, states: list[Object]) -> str:
    for state in states:
        if ended := state.get("terminated"):
            code = ended.get("exitCode", 0)
            said = ENDS.get(code, ended.get("reason", ""))
            return f"exit code {code}" + (f", {said}" if said and said != "Error" else "")
        if waiting := state.get("waiting"):
            said = ": ".join(filter(None, (waiting.get("reason", ""), waiting.get("message", ""))))
            return f"waits: {said or 'for its container'}"
    conditions = {each["type"]: each for each in status.get("conditions", [])}
    if (lost := conditions.get("DisruptionTarget", {})).get("status") == "True":
        return f"its node went: {lost.get('message', lost.get('reason', ''))}"
    if (placed := conditions.get("PodScheduled", {})).get("status") == "False":
        return f"waits for a node: {placed.get('message', '')}".rstrip(": ")
    return str(status.get("phase", "Pending")).lower()
