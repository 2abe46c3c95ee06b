"""Faults of what a person gave, told apart from faults of the machine: only the latter are worth another attempt."""

from __future__ import annotations

EXIT_CODE = 65
"""Of a program whose input is at fault (EX_DATAERR); the Jobs' podFailurePolicy makes no other attempt after it."""


class BadInput(Exception):
    """The input is at fault, and no other attempt will end better: where, what is wrong, what to do."""

    def __init__(self, where: str, message: str, hint: str = "") -> None:
        self.where, self.message, self.hint = where, message, hint
        super().__init__(f"{where}: {message}" + (f" ({hint})" if hint else ""))

    def __reduce__(self) -> tuple[type[BadInput], tuple[str, str, str]]:
        return (BadInput, (self.where, self.message, self.hint))  # so that it crosses the border of a process
