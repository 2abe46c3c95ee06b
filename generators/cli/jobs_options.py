"""Arguments and options of `fleet jobs`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from generators.batches.live import Live
    from generators.model.catalog import Inputs


def _key(name: str, help_: str, metavar: str | None = "TEXT") -> object:
    """A key of a batch. As a text, so that its model tells of a mistake, of all mistakes at once."""
    return typer.Option(name, metavar=metavar, help=help_, show_default=False)


Input = Annotated[str, _key("--input", "Prefix of the movies, as in movies/new/.", "PREFIX")]
Output = Annotated[str, _key("--output", "Prefix of the results.", "PREFIX")]
Model = Annotated[str, _key("--model", "Beside a model server, its name there; elsewhere, the key of an ONNX file.")]
Server = Annotated[str, _key("--server", "The set of models that it asks, where a group has several.", "NAME")]
NodeGroup = Annotated[
    str, _key("--node-group", "The GPU node group that runs it; left out, the cluster's only one.", "NAME")
]
Fallback = Annotated[
    list[str] | None,
    _key("--fallback", "A further group, where shards go when the first cannot grow; may be given many times.", "NAME"),
]
Shards = Annotated[str, _key("--shards", "Left out, ten times what the groups can hold at once.", "N")]
Parallelism = Annotated[str, _key("--parallelism", "Shards at a time; left out, as many as the groups can hold.", "N")]
DeadlineHours = Annotated[str, _key("--deadline-hours", "After this it ends, done or not. [24]", "N")]
FailedPercentage = Annotated[
    str, _key("--failed-percentage", "It ends when more of its shards have failed for good. [10]", "N")
]
EnoughPercentage = Annotated[
    str, _key("--enough-percentage", "It is done when so many of its shards are; left out, all.", "N")
]
GpuMemoryMib = Annotated[
    str, _key("--gpu-memory-mib", "What the model needs of a GPU; groups with less are refused.", "N")
]
Suspend = Annotated[bool, _key("--suspend", "With --write: stands in the cluster and runs nothing.", None)]
Schedule = Annotated[str, _key("--schedule", 'With --write: a CronJob, as in "0 3 * * *".', "CRON")]
TimeZone = Annotated[str, _key("--time-zone", "With --write: of the schedule.", "ZONE")]

From = Annotated[
    str,
    typer.Option(
        "--from", metavar="BATCH", help="What is left out is as in this batch of the cluster file.", show_default=False
    ),
]
Name = Annotated[
    str,
    typer.Option(
        help="Of the batch; left out, the last folder of its output. A Job gets five letters more.", show_default=False
    ),
]
TtlHours = Annotated[
    int, typer.Option(min=1, max=720, help="How long the Job, its pods and their logs stay when it is over.")
]
Yaml = Annotated[bool, typer.Option("--yaml", help="Print the Job for `kubectl create -f -`; ask no cluster.")]
Write = Annotated[bool, typer.Option("--write", help="Add it to the cluster file and render, for a pull request.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Change nothing; the API server says if it would take it.")]
Wait = Annotated[bool, typer.Option("--wait", help="Stay until it is over; exit 1 where it failed or was removed.")]
Kubeconfig = Annotated[
    Path | None,
    typer.Option("--kubeconfig", envvar="FLEET_KUBECONFIG", help="Left out, as kubectl finds it.", show_default=False),
]
Context = Annotated[str, typer.Option("--context", help="Of the kubeconfig; by default its own.", show_default=False)]
Which = Annotated[str, typer.Argument(metavar="NAME", help="Of a Job, or of a batch: then its newest Job.")]
AnyOf = Annotated[str, typer.Argument(metavar="[NAME]", help="Of a Job or of a batch; none means all.")]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Look again every few seconds, until Ctrl-C.")]
Shard = Annotated[int | None, typer.Option(min=0, metavar="N", help="This shard alone.", show_default=False)]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on until the batch is over.")]
Raw = Annotated[bool, typer.Option("--raw", help="The lines as the workers write them: JSON.")]
Tail = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="N",
        help="Last lines of each attempt; left out, all of one shard, 10 of many.",
        show_default=False,
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def fields(**given: object) -> dict[str, object]:
    """What was given, as a cluster file would hold it: numbers as numbers, the rest as texts."""
    return {key: _read(value) for key, value in given.items() if value not in (None, "", False, [])}


def _read(value: object) -> object:
    return int(value) if isinstance(value, str) and re.fullmatch(r"-?\d{1,9}", value) else value


def live(inputs: Inputs, kubeconfig: Path | None, context: str) -> Live:
    """The cluster behind kubectl. Raises FleetError where it is another."""
    from generators.batches.live import reached

    return reached(inputs, kubeconfig, context)
