"""Judges a request by the policies of one account, as AWS does: a denial wins, and what nothing allows is refused.

It is ours: moto lets everybody. It knows the words that policies of this repository hold; any other is an error, never
a yes. The rules: docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Statement = dict[str, Any]
KNOWN = {"Sid", "Effect", "Action", "Resource", "Condition", "Principal"}
VARIABLE = re.compile(r"\$\{([^{}]*)\}")


@dataclass(frozen=True)
class Request:
    """One action on one resource, by its ARN (`*`: AWS knows none), and the condition keys that come with it."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return f"{self.action} on {self.resource}"


def allows(request: Request, identity: Sequence[Statement], resource: Sequence[Statement] = ()) -> bool:
    """Whether a role with the statements of `identity` may, on a resource whose own policy is `resource`.

    Both are of one account, so either may allow. A KMS key alone must say itself that the account's policies count,
    by an allowance of the account's root. Raises ValueError for a word that there is no rule for.
    """
    own = [each for each in identity if _meets(each, request)]
    its = [each for each in resource if _meets(each, request)]
    if any(each["Effect"] == "Deny" for each in (*own, *its)):
        return False
    if any(not _of_the_account(each) for each in its):
        return True
    return bool(own) and (not request.action.startswith("kms:") or bool(its))


def holds(conditions: Mapping[str, Mapping[str, Any]], context: Mapping[str, Any]) -> bool:
    """Whether all conditions hold; a key that the request does not carry meets none. Raises ValueError."""
    if unknown := conditions.keys() - OPERATORS.keys():
        raise ValueError(f"no rule for the condition operators {sorted(unknown)}")
    lower = {key.lower(): value for key, value in context.items()}
    return all(
        any(OPERATORS[operator](want, have) for want in _list(wanted) for have in _list(lower.get(key.lower(), [])))
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


def like(pattern: str, text: str) -> bool:
    """Whether the text matches, where `*` stands for any characters and `?` for one."""
    parts = (".*" if part == "*" else "." if part == "?" else re.escape(part) for part in re.split(r"([*?])", pattern))
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda want, have: want == have,
    "StringLike": like,
    "Bool": lambda want, have: want.lower() == have.lower(),
}


def _meets(statement: Statement, request: Request) -> bool:
    if unknown := statement.keys() - KNOWN:
        raise ValueError(f"no rule for {sorted(unknown)} in a statement")
    if statement["Effect"] not in {"Allow", "Deny"}:
        raise ValueError(f"no rule for the effect {statement['Effect']}")
    return (
        any(like(each.lower(), request.action.lower()) for each in _list(statement["Action"]))
        and any(_names(each, request) for each in _list(statement["Resource"]))
        and holds(statement.get("Condition") or {}, request.context)
    )


def _names(pattern: str, request: Request) -> bool:
    """Whether a pattern, its policy variables filled from the request, names the resource. Without a value: no."""
    values = {name: request.context.get(name) for name in VARIABLE.findall(pattern)}
    if None in values.values():
        return False
    return like(VARIABLE.sub(lambda found: str(values[found[1]]), pattern), request.resource)


def _of_the_account(statement: Statement) -> bool:
    """Whether a resource's statement leaves it to the policies of its account."""
    principal = statement["Principal"]
    named = principal if principal == "*" else principal["AWS"]
    if named == "*":
        return False
    if not str(named).endswith(":root"):
        raise ValueError(f"no rule for the principal {principal}")
    return True


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
