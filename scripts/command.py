"""What all scripts share as commands: options, and errors of AWS as messages with exit code 2, never tracebacks."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Annotated, ParamSpec, TypeVar

import typer

from generators.cli import console
from generators.cli.options import complete_cluster
from generators.errors import wrong

P = ParamSpec("P")
R = TypeVar("R")

Cluster = Annotated[
    str, typer.Argument(metavar="CLUSTER", help="Name of the cluster.", autocompletion=complete_cluster)
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")]


def new_app(help_text: str) -> typer.Typer:
    """A Typer application that looks like `fleet`."""
    return typer.Typer(
        help=help_text,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def guarded(command: Callable[P, R]) -> Callable[P, R]:
    """As `console.guarded`; an error of AWS becomes one line with what AWS said, and exit code 2."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

        try:
            return command(*args, **kwargs)
        except NoCredentialsError:
            raise wrong("AWS", "no credentials", hint="AWS_PROFILE=..., or aws sso login") from None
        except ClientError as error:
            said = error.response.get("Error", {})
            raise wrong(f"AWS {error.operation_name}", f"{said.get('Code')}: {said.get('Message')}") from None
        except BotoCoreError as error:
            raise wrong("AWS", str(error)) from None

    return console.guarded(run)
