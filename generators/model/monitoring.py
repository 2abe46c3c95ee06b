"""Who is told when the cluster is unwell, how long logs are kept, and what it may cost."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from .base import Matching, Model, refuse

AGENT_APP = "cloudwatch-agent"
"""The app that sends Container Insights metrics. Where it runs, their absence is an alarm."""

WORKER_APP = "gpu-inference"
"""The app whose workers write metrics among their log lines, by batch."""

LOG_KINDS = ("application", "dataplane", "host", "metrics", "performance")
"""Log groups of Container Insights: of pods, of kubelet and its like, of the node's system; of metrics that pods write,
and of its own measurements."""

Email = Annotated[
    str, Matching(r"(?=.{6,254}$)[^@\s,;]+@([A-Za-z0-9-]+\.)+[A-Za-z]{2,}", "an e-mail address", "oncall@example.com")
]
RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""What CloudWatch Logs takes (API reference of PutRetentionPolicy, 2026-08)."""


def _retention(days: int) -> int:
    if days not in RETENTION_DAYS:
        longer = next((each for each in RETENTION_DAYS if each > days), RETENTION_DAYS[-1])
        raise refuse(f"`{days}` is no number of days that CloudWatch Logs takes", f"did you mean `{longer}`?")
    return days


RetentionDays = Annotated[int, AfterValidator(_retention), Field(json_schema_extra={"enum": [*RETENTION_DAYS]})]

_GIB_PER_LARGE = {"m": 8, "r": 16, "t": 8}
_LARGES = {"micro": 1 / 8, "small": 1 / 4, "medium": 1 / 2, "large": 1.0, "xlarge": 2.0}


class Monitoring(Model):
    """Logs, alarms and budget. How to use them: docs/how-to/watch-a-cluster.md."""

    log_retention_days: RetentionDays = 30
    """How long logs of pods, nodes, database and network are kept; those of the control plane, with audit, 90 days."""
    alarm_emails: Annotated[tuple[Email, ...], Field(max_length=10)] = ()
    """Who gets a mail for each alarm. AWS first asks each one to confirm. Others may subscribe to the SNS topic."""
    budget_usd: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    """Planned cost of a month, in USD; left out, nobody watches it. It needs the cost allocation tag `cluster`."""


def database_memory_gib(instance_class: str) -> float | None:
    """Memory of an RDS class of the families m, r and t, in GiB; None for others, which follow no such rule.

    Source: RDS user guide, hardware specifications of DB instance classes, 2026-08.
    """
    found = re.fullmatch(r"db\.([mrt])\d\w*\.(?:(\d+)xlarge|(\w+))", instance_class)
    if not found:
        return None
    family, times, size = found.groups()
    larges = 2.0 * int(times) if times else _LARGES.get(size)
    return larges and _GIB_PER_LARGE[family] * larges
