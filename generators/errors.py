"""What a user ever sees of a problem: where it is, what is wrong, what to do next."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A position in a file that a person wrote. Lines and columns count from 1; 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: `error: PLACE: KEY: WHAT`, then `hint: HINT`."""

    place: Place
    message: str
    key: str = ""
    hint: str = ""

    def __str__(self) -> str:
        key = f"{self.key}: " if self.key else ""
        hint = f"\nhint: {self.hint}" if self.hint else ""
        return f"error: {self.place}: {key}{self.message}{hint}"

    def facts(self) -> dict[str, str | int]:
        """The same for a machine: file, line, column, key, message, hint."""
        place = self.place
        where: dict[str, str | int] = {"file": place.file, "line": place.line, "column": place.column}
        return {**where, "key": self.key, "message": self.message, "hint": self.hint}

    def sort_key(self) -> tuple[str, int, int, str, str]:
        """File order: by file, line and column, then by key."""
        return (self.place.file, self.place.line, self.place.column, self.key, self.message)


class FleetError(Exception):
    """The input or the call is wrong (exit code 2). Carries every problem that was found, in file order."""

    def __init__(self, problems: list[Problem] | Problem) -> None:
        found = [problems] if isinstance(problems, Problem) else problems
        self.problems = sorted(found, key=Problem.sort_key)
        super().__init__("\n".join(map(str, self.problems)))

    def __reduce__(self) -> tuple[type[FleetError], tuple[list[Problem]]]:
        return (FleetError, (self.problems,))  # so that it crosses the border of a worker process


def wrong(file: str, message: str, *, key: str = "", hint: str = "") -> FleetError:
    """An error about a file as a whole, or about the call itself where `file` names the command."""
    return FleetError(Problem(Place(file), message, key, hint))
