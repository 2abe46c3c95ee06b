"""What became of batches: those in git, those of a schedule, and those that were submitted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from generators.batches.live import BATCH, MANAGED, OURS, Live, Object
from generators.errors import wrong
from generators.model.base import did_you_mean

Source = Literal["git", "schedule", "submitted"]
State = Literal["done", "failed", "running", "waiting", "suspended", "stopping", "scheduled", "missing"]
OVER: tuple[State, ...] = ("done", "failed")
REASONS = {
    "BackoffLimitExceeded": "too many attempts failed",
    "DeadlineExceeded": "its deadline passed",
    "FailedIndexes": "some shards failed for good",
    "MaxFailedIndexesExceeded": "more shards failed than it allows",
    "PodFailurePolicy": "a pod failed in a way that ends it",
}
"""Why Kubernetes ends a Job: kubernetes/api, batch/v1, reasons of the condition Failed."""
BY = "inference-fleet/submitted-by"


@dataclass(frozen=True)
class Batch:
    """A Job or CronJob as it stands. `done`, `failed` and `total` count shards, `active` pods; times are ISO, in UTC.

    `failed_shards` is as Kubernetes writes it, in ranges: `1,3-5`.
    """

    name: str
    batch: str
    source: Source
    state: State
    done: int = 0
    failed: int = 0
    active: int = 0
    total: int = 0
    created: str = ""
    ended: str = ""
    failed_shards: str = ""
    reason: str = ""
    submitted_by: str = ""

    def age(self, now: datetime) -> str:
        """Since it was made, as kubectl tells ages."""
        return _span((now - _time(self.created)).total_seconds()) if self.created else ""


def batches(live: Live, in_git: Mapping[str, str], wanted: str = "") -> list[Batch]:
    """All batches, or those that `wanted` names: by batch, then the oldest first.

    `in_git` are objects that the checkout makes, with their batches. Raises FleetError for a name that nothing has.
    """
    there = [_cron(each) if each["kind"] == "CronJob" else of(each) for each in live.listed("jobs,cronjobs")]
    found = [_known(each, in_git) for each in there]
    present = {each.name for each in found}
    found += [
        Batch(name, batch, "git", "missing", reason="in this checkout, not on the cluster")
        for name, batch in in_git.items()
        if name not in present
    ]
    chosen = [each for each in found if not wanted or wanted in (each.name, each.batch)]
    if wanted and not chosen:
        raise no_such(live, wanted, found)
    return sorted(chosen, key=lambda each: (each.batch, each.created, each.name))


def one(live: Live, wanted: str) -> Object:
    """The Job that a person means: by its name, or the newest of a batch. Raises FleetError where there is none."""
    jobs = live.listed("jobs")
    named = [each for each in jobs if wanted in (each["metadata"]["name"], each["metadata"]["labels"].get(BATCH))]
    if not named:
        raise no_such(live, wanted, [of(each) for each in jobs])
    exact = [each for each in named if each["metadata"]["name"] == wanted]
    return max(exact or named, key=lambda each: str(each["metadata"]["creationTimestamp"]))


def no_such(live: Live, wanted: str, found: list[Batch]) -> Exception:
    """The error for a name that no batch has."""
    known = sorted({each.name for each in found} | {each.batch for each in found})
    hint = did_you_mean(wanted, known, f"`fleet jobs status {live.cluster}` lists what is there")
    return wrong(live.cluster, f"no batch `{wanted}`", key="NAME", hint=hint)


def source(job: Object) -> Source:
    """Where a Job comes from: its label, or the CronJob that made it."""
    metadata = job["metadata"]
    if metadata.get("labels", {}).get(MANAGED) == OURS:
        return "submitted"
    owners = [each["kind"] for each in metadata.get("ownerReferences", [])]
    return "schedule" if "CronJob" in owners else "git"


def of(job: Object) -> Batch:
    """A Job as its status says."""
    metadata, spec, status = job["metadata"], job["spec"], job.get("status", {})
    failed = status.get("failedIndexes", "")
    state, reason = _state(spec, status)
    return Batch(
        name=metadata["name"],
        batch=metadata.get("labels", {}).get(BATCH, metadata["name"]),
        source=source(job),
        state=state,
        done=count(status.get("completedIndexes", "")),
        failed=count(failed),
        active=status.get("active", 0),
        total=spec.get("completions", 1),
        created=metadata.get("creationTimestamp", ""),
        ended=_ended(status),
        failed_shards=failed,
        reason=reason,
        submitted_by=metadata.get("annotations", {}).get(BY, ""),
    )


def count(ranges: str) -> int:
    """How many numbers `1,3-5` holds."""
    return sum(last - first + 1 for first, last in spans(ranges))


def spans(ranges: str) -> Iterator[tuple[int, int]]:
    """First and last of each part of `1,3-5`."""
    for part in filter(None, ranges.split(",")):
        first, _, last = part.partition("-")
        yield int(first), int(last or first)


def _state(spec: Object, status: Object) -> tuple[State, str]:
    conditions = {each["type"]: each for each in status.get("conditions", []) if each["status"] == "True"}
    if "Complete" in conditions:
        return "done", "enough shards are" if conditions["Complete"].get("reason") == "SuccessPolicy" else ""
    if found := conditions.get("Failed"):
        return "failed", REASONS.get(found.get("reason", ""), found.get("message", ""))
    if found := conditions.get("FailureTarget") or conditions.get("SuccessCriteriaMet"):
        return "stopping", REASONS.get(found.get("reason", ""), "")
    if spec.get("suspend"):
        return "suspended", ""
    if status.get("ready"):
        return "running", ""
    return "waiting", "pods are not ready yet" if status.get("active") else "no pods yet"


def _ended(status: Object) -> str:
    if done := status.get("completionTime"):
        return str(done)
    failed = [each for each in status.get("conditions", []) if each["type"] == "Failed" and each["status"] == "True"]
    return str(failed[0].get("lastTransitionTime", "")) if failed else ""


def _cron(cron: Object) -> Batch:
    metadata, spec, status = cron["metadata"], cron["spec"], cron.get("status", {})
    return Batch(
        name=metadata["name"],
        batch=metadata.get("labels", {}).get(BATCH, metadata["name"]),
        source="git",
        state="suspended" if spec.get("suspend") else "scheduled",
        active=len(status.get("active", [])),
        total=spec["jobTemplate"]["spec"].get("completions", 1),
        created=metadata.get("creationTimestamp", ""),
        reason=f"at {spec['schedule']} {spec.get('timeZone', '')}".rstrip(),
    )


def _known(found: Batch, in_git: Mapping[str, str]) -> Batch:
    if found.source != "git" or found.name in in_git:
        return found
    return replace(found, reason="; ".join(filter(None, [found.reason, "not in this checkout"])))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _span(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{int(seconds // size)}{unit}"
    return f"{max(0, int(seconds))}s"
