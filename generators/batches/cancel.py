"""Ends a batch that was submitted. One in git is git's to end: Argo CD would make its Job again."""

from __future__ import annotations

from generators.batches.live import BATCH, MANAGED, OURS, Live, Object
from generators.batches.look import source
from generators.errors import FleetError, wrong


def refused(live: Live, job: Object) -> FleetError | None:
    """Why this Job is not to be cancelled, with what to do instead; None where it may be."""
    name, batch = job["metadata"]["name"], job["metadata"]["labels"].get(BATCH, "NAME")
    file, key = f"clusters/{live.cluster}/cluster.yaml", f"apps.gpu-inference.jobs.{batch}"
    suspend = f"`fleet set {live.cluster} {key}.suspend true`"
    if source(job) == "git":
        what = f"`{name}` is in git, as {key}: deleted here, Argo CD would make it again"
        hint = f"hold it with {suspend}, or take it out of {file}; then render, and merge"
        return wrong(live.cluster, what, key="NAME", hint=hint)
    if source(job) == "schedule":
        what = f"`{name}` was made by the schedule of {key}, which is in git"
        hint = f"{suspend} stops the next ones; this one alone: kubectl -n {live.namespace} delete job {name}"
        return wrong(live.cluster, what, key="NAME", hint=hint)
    return None


def cancel(live: Live, job: Object) -> None:
    """Deletes the Job and, in the background, its pods. Raises FleetError; one that is not ours is never matched."""
    name = job["metadata"]["name"]
    chosen = ("--selector", f"{MANAGED}={OURS}", "--field-selector", f"metadata.name={name}")
    live("delete", "jobs", *chosen, "--cascade=background", "--wait=false")
