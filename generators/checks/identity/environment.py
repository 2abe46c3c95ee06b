"""What a program that calls AWS must find in its environment, and what must not be there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

STATIC = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SHARED_CREDENTIALS_FILE")
"""Each of them comes before the role in every SDK's chain."""
DEFAULT_ATTEMPTS = 3
"""What SDKs do in the modes standard and adaptive where nothing is set (AWS SDKs and Tools Reference Guide)."""

Told = tuple[str, str]
"""What is wrong, and a hint."""


def named(entries: object) -> dict[str, object]:
    """A container's `env` by name. A variable that takes its value from elsewhere has the value None."""
    found = entries if isinstance(entries, list) else []
    return {str(each["name"]): each.get("value") for each in found if isinstance(each, dict) and "name" in each}


def problems(variables: Mapping[str, object], reads: Collection[str]) -> Iterator[Told]:
    """What is wrong with the environment of a program that `reads` these variables; none where it calls nobody."""
    for name in STATIC:
        if name in variables:
            yield f"{name} would come before the role of the ServiceAccount", "take it away: a role needs no key"
    endpoints = variables.get("AWS_STS_REGIONAL_ENDPOINTS", "regional")
    if endpoints != "regional":
        what = f"AWS_STS_REGIONAL_ENDPOINTS is `{endpoints}`, which overrules the ServiceAccount's annotation"
        yield what, "write `regional`, or leave it to the annotation"
    if "AWS_RETRY_MODE" in reads and variables.get("AWS_RETRY_MODE") != "adaptive":
        what = "AWS_RETRY_MODE is not `adaptive`: pods that start by the hundred meet AWS's limits and must slow down"
        yield what, "add AWS_RETRY_MODE: adaptive; a program that does not read it says so in `sdk` of its identity"
    if "AWS_MAX_ATTEMPTS" in reads and not _enough(variables.get("AWS_MAX_ATTEMPTS")):
        what = f"AWS_MAX_ATTEMPTS is not above {DEFAULT_ATTEMPTS}, where SDKs give up by themselves"
        yield what, 'add AWS_MAX_ATTEMPTS: "10"'


def _enough(value: object) -> bool:
    text = str(value)
    return text.isdecimal() and int(text) > DEFAULT_ATTEMPTS
