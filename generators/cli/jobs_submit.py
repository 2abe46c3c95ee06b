"""`fleet jobs submit`: onto a cluster, onto stdout, or into git."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from generators.cli import console
from generators.cli import jobs_options as options
from generators.cli.options import Cluster

if TYPE_CHECKING:
    from generators.batches.live import Live
    from generators.model.catalog import Inputs
    from generators.pipeline.batches import Order
    from generators.pipeline.fleet import Fleet


@console.guarded
def submit(
    cluster: Cluster,
    input_: options.Input = "",
    output: options.Output = "",
    model: options.Model = "",
    server: options.Server = "",
    node_group: options.NodeGroup = "",
    fallback: options.Fallback = None,
    shards: options.Shards = "",
    parallelism: options.Parallelism = "",
    deadline_hours: options.DeadlineHours = "",
    failed_percentage: options.FailedPercentage = "",
    enough_percentage: options.EnoughPercentage = "",
    gpu_memory_mib: options.GpuMemoryMib = "",
    suspend: options.Suspend = False,
    schedule: options.Schedule = "",
    time_zone: options.TimeZone = "",
    like: options.From = "",
    name: options.Name = "",
    ttl_hours: options.TtlHours = 24,
    yaml: options.Yaml = False,
    write: options.Write = False,
    dry_run: options.DryRun = False,
    wait: options.Wait = False,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = "",
) -> None:
    """Run a batch now, as a Job of the cluster that goes when its time is over; or print it; or add it to git.

    It is made of the facts that batches in git are made of, and held to the same rules. With --wait it exits with 0
    when the batch is done, 1 when it failed or was removed, 130 when Ctrl-C ended the wait; the Job then runs on.
    """
    from generators.pipeline import fleet
    from generators.pipeline.batches import Order
    from generators.source.workspace import locate

    _apart(**{"--yaml": yaml, "--write": write, "--wait": wait})
    _apart(**{"--yaml": yaml, "--dry-run": dry_run})
    _apart(**{"--wait": wait, "--dry-run": dry_run})
    given = options.fields(
        input=input_, output=output, model=model, server=server, node_group=node_group, fallback=fallback,
        shards=shards, parallelism=parallelism, deadline_hours=deadline_hours, failed_percentage=failed_percentage,
        enough_percentage=enough_percentage, gpu_memory_mib=gpu_memory_mib, suspend=suspend, schedule=schedule,
        time_zone=time_zone,
    )  # fmt: skip
    found, order = fleet.read(locate()), Order(cluster, given, name, like, in_git=write)
    if write:
        _to_git(found, order, dry_run)
        return
    inputs, job = _made(found, order, ttl_hours)
    if yaml:
        _printed(job, cluster)
        return
    live = options.live(inputs, kubeconfig, context)
    _to_cluster(live, job, dry_run)
    if wait:
        raise typer.Exit(_waited(live, job["metadata"]["name"]))


def _apart(**given: bool) -> None:
    both = [name for name, value in given.items() if value]
    if len(both) > 1:
        raise typer.BadParameter(f"{' and '.join(both)} do not go together")


def _made(found: Fleet, order: Order, ttl_hours: int) -> tuple[Inputs, dict[str, Any]]:
    from generators.batches.look import BY
    from generators.kubeflow import person
    from generators.pipeline import batches

    batch = batches.checked(found, order)
    return batch.inputs, batch.job(ttl_hours * 3600, {BY: person.name(found.workspace.root)})


def _printed(job: dict[str, Any], cluster: str) -> None:
    from generators.output.yaml_text import dump

    console.data(dump(job).removesuffix("\n"))
    console.say(
        f"for `kubectl create -f -` on {cluster}, not for git: it removes itself, and Argo CD would run it again"
    )
    console.say("for git: the same with --write")


def _to_git(found: Fleet, order: Order, dry_run: bool) -> None:
    from generators.pipeline import batch_file

    file = f"clusters/{order.cluster}/cluster.yaml"
    added = batch_file.planned(found, order) if dry_run else batch_file.add(found, order)
    if dry_run:
        console.data(added.diff(file))
        console.say(f"nothing was written; it would be `{added.object}` on {order.cluster}")
        return
    console.say(f"{file}: apps.gpu-inference.jobs.{added.batch}, which is `{added.object}`; it has no TTL")
    console.say(f"next: git add clusters/{order.cluster}; Argo CD runs it after the merge")
    if added.rights:
        console.say(
            f"and before the merge `make plan apply NAME={order.cluster}`: workers reach other prefixes than before"
        )


def _to_cluster(live: Live, job: dict[str, Any], dry_run: bool) -> None:
    from generators.batches import submit as door

    name, cluster = job["metadata"]["name"], live.cluster
    spec = job["spec"]
    size = f"{console.count(spec['completions'], 'shard')}, {spec['parallelism']} at a time"
    if dry_run:
        door.tried(live, job, console.warn)
        console.say(f"{cluster} would take `{name}`: {size}; nothing was changed")
        return
    door.submit(live, job, console.warn)
    console.data(name)
    hours = spec["ttlSecondsAfterFinished"] // 3600
    console.say(f"submitted `{name}` to {cluster}: {size}; it goes {console.count(hours, 'hour')} after its end")
    console.say(f"next: fleet jobs status {cluster} {name}; fleet jobs logs {cluster} {name}")


def _waited(live: Live, name: str) -> int:
    from generators.batches import submit as door
    from generators.batches.attempts import attempts, why

    try:
        found = door.wait(live, name, console.say)
    except KeyboardInterrupt:
        console.say(f"stopped waiting; `{name}` runs on: fleet jobs status {live.cluster} {name}")
        return console.INTERRUPTED
    if found is None:
        console.say(f"`{name}` is gone from {live.cluster}: it was cancelled")
        return console.FOUND
    if found.state == "done":
        return 0
    for line in why(attempts(live, name)):
        console.say(line)
    console.say(f"next: fleet jobs logs {live.cluster} {name}")
    return console.FOUND
