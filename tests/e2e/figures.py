"""What a run measured, as lines of a table; they are printed, and kept beside the logs."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from generators.lab.lab import Lab
from tests.e2e.pods import nodes, pods
from tests.e2e.programs import LOGS

CLIENTS = 12
"""So many of those that asked most are told."""


def of_sync(lab: Lab, up: float, synced: float) -> str:
    """After everything is in sync: seconds, sizes, and who asked the API server how often."""
    head = (
        f"{len(nodes(lab))} nodes, {len(pods(lab))} pods, {len(lab.get('applications', '-n', 'argocd'))} Applications: "
        f"up after {up:.0f} s, every Application Synced and Healthy {synced:.0f} s later"
    )
    return keep(lab, [head, *_requests(lab)])


def of_load(lab: Lab, wanted: int, placed: float, synced: float) -> str:
    """After many pods came at once: seconds until all were placed and Ready, and until nothing was out of sync."""
    head = (
        f"{wanted} pods at once on {len(nodes(lab))} nodes: all placed and Ready after {placed:.0f} s, "
        f"every Application Synced after {synced:.0f} s"
    )
    return keep(lab, [head, *_requests(lab)])


def keep(lab: Lab, lines: list[str]) -> str:
    """The lines as a text, which is also added to the cluster's file of figures."""
    text = "\n".join(lines)
    file = LOGS / f"{lab.inputs.cluster.name}-figures.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as out:
        out.write(f"{text}\n")
    return text


def _requests(lab: Lab) -> list[str]:
    rows = requests_by_client(lab.home.folder / "audit.log").most_common(CLIENTS)
    return [f"  {count:7d} requests by {client}" for client, count in rows]


def requests_by_client(audit: Path) -> Counter[str]:
    """How often each program asked the API server, out of its audit log."""
    found: Counter[str] = Counter()
    # The last line may be half written.
    for line in audit.read_text(encoding="utf-8").rpartition("\n")[0].splitlines():
        event = json.loads(line)
        found[event.get("userAgent", "").split("/")[0] or event["user"]["username"]] += 1
    return found
