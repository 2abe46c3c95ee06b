"""The only module of the `fleet` command that prints, colours and exits. Data goes to stdout, talk to stderr."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import ParamSpec, TypeVar

import typer

from generators.errors import FleetError

P = ParamSpec("P")
R = TypeVar("R")
FOUND, WRONG, BUG, INTERRUPTED = 1, 2, 70, 130
"""Exit codes: a check found something; the input or the call is wrong; a bug of ours; stopped by the user."""
_PLAIN_STEP = 100


class Output(StrEnum):
    """How data is printed."""

    text = "text"
    json = "json"


def guarded(command: Callable[P, R]) -> Callable[P, R]:
    """A command whose errors become messages and exit codes, never tracebacks."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except FleetError as error:
            problems(error)
            raise typer.Exit(WRONG) from None
        except KeyboardInterrupt:
            say("interrupted; every folder is whole")
            raise typer.Exit(INTERRUPTED) from None
        except OSError as error:
            if not isinstance(error, BrokenPipeError):
                say(f"error: {error.filename or 'output'}: {error.strerror}")
                raise typer.Exit(WRONG) from None
            # The reader of our output went away, which is not an error; nor may the last flush make it one.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None

    return run


def problems(error: FleetError) -> None:
    """Every problem, in file order, on stderr."""
    for problem in error.problems:
        head, *rest = str(problem).split("\nhint: ")
        say(_styled("error", "red") + head.removeprefix("error"))
        for hint in rest:
            say(_styled("hint", "cyan") + f": {hint}")


def _styled(word: str, colour: str) -> str:
    plain = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    return word if plain else typer.style(word, fg=colour, bold=True)


def say(text: str) -> None:
    """One line of talk."""
    typer.echo(text, err=True)


def warn(text: str) -> None:
    """One line that asks for attention."""
    say(_styled("warning", "yellow") + f": {text}")


def waiting() -> None:
    """Says why nothing happens."""
    say("waiting for another fleet run to finish …")


def count(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def data(text: str) -> None:
    """One line, or more, of what was asked for."""
    typer.echo(text)


def as_json(value: object) -> None:
    """What was asked for, for a machine."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def clear() -> None:
    """Makes room for the next look: an empty screen, or elsewhere an empty line."""
    typer.echo("\x1b[H\x1b[2J" if sys.stdout.isatty() else "", nl=not sys.stdout.isatty())


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Rows in aligned columns."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, *rows]:
        data("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def progress(items: Iterable[R], total: int, doing: str) -> Iterator[R]:
    """The items, with a bar on a terminal and a plain line now and then elsewhere."""
    if total < 2:
        yield from items
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import track

        yield from track(items, doing, total, console=Console(stderr=True), transient=True)
    else:
        for done, item in enumerate(items, start=1):
            yield item
            if done % _PLAIN_STEP == 0:
                say(f"{doing}: {done} of {total}")
