"""On-demand nodes and weights within spot node groups, held on the Auto Scaling groups that EKS made."""

from __future__ import annotations

from collections.abc import Iterator

import typer

from generators.cli import console
from generators.cli.console import Output
from generators.cli.options import OutputOption
from generators.errors import FleetError, Place, Problem
from scripts.command import Cluster, DryRun, guarded, new_app
from scripts.spot_compare import Compared, State, compare
from scripts.target import Target, load, retries

UNSUPPORTED = "AWS does not support this edit of a managed node group; EKS may undo it at any update of the group"
STATES: dict[State, str] = {
    "same": "as in the cluster file",
    "differs": "different",
    "refused": "refused",
    "missing": "not made yet",
    "busy": "with EKS",
}

app = new_app(
    f"On-demand base and percentage, and weights, within spot node groups. {UNSUPPORTED}: so it is checked and written "
    "again, by Terraform and by a scheduled job. Also held: capacity-optimized allocation and capacity rebalancing. "
    "A spot group without `mix` is brought back to what EKS makes; on-demand groups are left alone."
)


def write(target: Target, found: list[Compared]) -> None:
    """One call a group: a group is never half done, and a run that was cut short is completed by the next one.

    A group that AWS refuses does not keep the others from theirs.
    """
    from botocore.exceptions import ClientError

    client = target.session.client("autoscaling", config=retries())
    for each in console.progress(found, len(found), "writing"):
        try:
            client.update_auto_scaling_group(**each.update)
        except ClientError as error:
            said = error.response["Error"]
            what = f"{each.auto_scaling_group}: {said['Code']}: {said['Message']}"
            each.state = "refused"
            each.problems = [Problem(Place("AWS UpdateAutoScalingGroup"), what)]
        else:
            each.state = "same"
            console.say(f"{each.key}: " + ", ".join(f"{name} {now} → {then}" for name, now, then in _changes(each)))


def _changes(each: Compared) -> Iterator[tuple[str, str, str]]:
    for name, (now, then) in each.changes.items():
        yield name, _word(now), _word(then)


def _word(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(f"{kind}:{weight}" for kind, weight in value.items()) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def report(target: Target, found: list[Compared], output: Output) -> None:
    """Differences as data."""
    if output is Output.json:
        console.as_json({"cluster": target.name, "groups": [each.facts() for each in found]})
        return
    rows: list[tuple[str, ...]] = [(each.key, *change) for each in found for change in _changes(each)]
    if rows:
        console.table(("group", "setting", "is", "should be"), rows)


def finish(found: list[Compared]) -> None:
    """Talk: why a group was passed over, how many are in each state. Raises FleetError with all that was refused."""
    for each in found:
        if each.state == "missing":
            console.say(f"{each.key}: AWS has no node group {each.node_group} yet")
        elif each.state == "busy":
            console.say(f"{each.key}: EKS is at work on it; left alone until that is done")
        if each.caution:
            console.warn(f"{each.key}: {each.caution}")
    states = [each.state for each in found]
    counts = [f"{states.count(state)} {said}" for state, said in STATES.items() if state in states]
    console.say(f"{console.count(len(found), 'spot node group')}: {', '.join(counts) or 'nothing to do'}")
    if problems := [problem for each in found for problem in each.problems]:
        raise FleetError(problems)


def _compared(cluster: str) -> tuple[Target, list[Compared]]:
    target = load(cluster)
    found = compare(target)
    if found:
        console.warn(UNSUPPORTED)
    return target, found


@app.command()
@guarded
def diff(cluster: Cluster, output: OutputOption = Output.text) -> None:
    """Show how AWS differs from the cluster file."""
    target, found = _compared(cluster)
    report(target, found, output)
    finish(found)


@app.command()
@guarded
def check(cluster: Cluster, output: OutputOption = Output.text) -> None:
    """As diff, with exit code 1 where a group differs.

    A node group that is not made yet, or that EKS is at work on, does not count.
    """
    target, found = _compared(cluster)
    report(target, found, output)
    finish(found)
    if any(each.state == "differs" for each in found):
        raise typer.Exit(console.FOUND)


@app.command()
@guarded
def apply(cluster: Cluster, dry_run: DryRun = False) -> None:
    """Make AWS as the cluster file says. A group that is refused is left as it is; the others get theirs."""
    target, found = _compared(cluster)
    if dry_run:
        report(target, found, Output.text)
    else:
        write(target, [each for each in found if each.state == "differs"])
    finish(found)


if __name__ == "__main__":
    app(prog_name="spot_mix")
