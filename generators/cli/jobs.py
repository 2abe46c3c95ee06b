"""`fleet jobs`: submit a batch over an S3 prefix, look at batches, read their logs, cancel them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from time import sleep as pause
from typing import TYPE_CHECKING

import typer

from generators.cli import console, jobs_submit
from generators.cli import jobs_options as options
from generators.cli.options import Cluster, OutputOption

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from generators.batches.live import Live
    from generators.batches.logs import Said
    from generators.batches.look import Batch
    from generators.model.catalog import Inputs

WATCH_SECONDS = 5.0
TAIL = 10
"""Lines of each attempt, where many are read."""
app = typer.Typer(
    help="Batches over S3 prefixes: submit, look, read logs, cancel.",
    no_args_is_help=True,
)
app.command("submit")(jobs_submit.submit)


@app.command("status")
@console.guarded
def status(
    cluster: Cluster,
    name: options.AnyOf = "",
    watch: options.Watch = False,
    output: OutputOption = console.Output.text,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = "",
) -> None:
    """Show batches: those in git, those that a schedule made, those that were submitted."""
    from generators.batches import look
    from generators.renderers import batch

    inputs = _inputs(cluster)
    live, in_git = options.live(inputs, kubeconfig, context), batch.in_git(inputs)
    shown: list[Batch] | None = None
    with _until_stopped():
        while True:
            found = look.batches(live, in_git, name)
            if found != shown:
                if shown is not None:
                    console.clear()
                _show(live, found, output, detailed=bool(name))
                shown = found
            if not watch:
                return
            pause(WATCH_SECONDS)


@contextmanager
def _until_stopped() -> Iterator[None]:
    """Ctrl-C is how a look that goes on is meant to end."""
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(console.INTERRUPTED) from None


def _show(live: Live, found: list[Batch], output: console.Output, *, detailed: bool) -> None:
    from datetime import UTC, datetime

    if output is console.Output.json:
        console.as_json([asdict(each) for each in found])
        return
    if not found:
        console.say(f"no batches on {live.cluster}; `fleet jobs submit {live.cluster}` runs one")
        return
    now = datetime.now(UTC)
    head = ("name", "from", "state", "done", "failed", "active", "total", "age", "why")
    console.table(head, [_row(each, now) for each in found])
    if detailed:
        _details(live, found[-1])


def _row(each: Batch, now: datetime) -> tuple[str, ...]:
    counts = (str(number) for number in (each.done, each.failed, each.active, each.total))
    failed = f"failed: {each.failed_shards}" if each.failed_shards else ""
    why = "; ".join(filter(None, [each.reason, failed if len(failed) <= 60 else failed[:57] + "…"]))
    origin = each.source + (f" by {each.submitted_by}" if each.submitted_by else "")
    return (each.name, origin, each.state, *counts, each.age(now), why)


def _details(live: Live, batch: Batch) -> None:
    from generators.batches.attempts import attempts, why

    for line in why(attempts(live, batch.name)) if batch.created and batch.state != "scheduled" else ():
        console.data(line)


@app.command("logs")
@console.guarded
def logs(
    cluster: Cluster,
    name: options.Which,
    shard: options.Shard = None,
    follow: options.Follow = False,
    tail: options.Tail = None,
    raw: options.Raw = False,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = "",
) -> None:
    """Show what workers said, attempt by attempt, those that failed before too."""
    from generators.batches import logs as reader
    from generators.batches import look
    from generators.batches.attempts import attempts

    live = options.live(_inputs(cluster), kubeconfig, context)
    job = look.one(live, name)["metadata"]["name"]
    lines = TAIL if tail is None and shard is None else tail
    if follow:
        with _until_stopped():
            _tell(reader.follow(live, job, shard, lines, console.say), raw=raw, one=shard is not None, titles=False)
        return
    found = attempts(live, job, shard)
    if not found:
        console.say(f"`{job}` has no pods{'' if shard is None else f' of shard {shard}'}; CloudWatch keeps what went")
        return
    _tell(reader.read(live, found, lines), raw=raw, one=shard is not None, titles=True)


def _tell(said: Iterable[Said], *, raw: bool, one: bool, titles: bool) -> None:
    from generators.batches.lines import readable

    for each in said:
        if each.trouble:
            console.warn(f"{each.attempt.title}: {each.trouble}")
        elif each.line is None:
            if titles:
                console.say(each.attempt.title)
        else:
            for line in (each.line,) if raw else readable(each.line):
                console.data(line if raw or one else f"{each.attempt.shard}: {line}")


@app.command("cancel")
@console.guarded
def cancel(
    cluster: Cluster,
    name: options.Which,
    yes: options.Yes = False,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = "",
) -> None:
    """End a batch that was submitted, and remove its Job. Results that are written stay."""
    from generators.batches import cancel as door
    from generators.batches import look

    live = options.live(_inputs(cluster), kubeconfig, context)
    job = look.one(live, name)
    if error := door.refused(live, job):
        raise error
    found = look.of(job)
    console.say(
        f"{found.name}: {found.done} of {found.total} shards done, {console.count(found.active, 'pod')} at work"
    )
    if not yes and not _agreed(found.name):
        console.say("nothing was changed")
        raise typer.Exit(console.FOUND)
    door.cancel(live, job)
    console.say(f"cancelled `{found.name}`; its pods have 90 seconds to save their places")


def _agreed(name: str) -> bool:
    if not sys.stdin.isatty():
        raise typer.BadParameter("there is nobody to ask; say --yes")
    return typer.confirm(f"cancel `{name}`?", err=True)


def _inputs(cluster: str) -> Inputs:
    from generators.pipeline import fleet
    from generators.source.workspace import locate

    return fleet.read(locate()).load(cluster)
