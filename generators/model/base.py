"""The base of every model, and the field types that several of them share."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import no_info_after_validator_function

Path = tuple[str | int, ...]
"""Where a value stands in a cluster file, from the root: `("node_groups", "workers", "max")`."""


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """`did you mean …?` for the nearest known word, or `otherwise`."""
    import difflib  # here, because a file without mistakes can do without

    near = difflib.get_close_matches(word, sorted(known), n=1)
    return f"did you mean `{near[0]}`?" if near else otherwise


def dotted(path: Path) -> str:
    """`node_groups.workers.instance_types[0]`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


@dataclass(frozen=True)
class Finding:
    """A rule that the model breaks: which key, what is wrong, what to do. The caller knows the file."""

    path: Path
    message: str
    hint: str = ""


class Model(BaseModel):
    """Frozen, strict and closed: a misspelt key or a number where text belongs is an error, never a guess."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


def refuse(message: str, hint: str = "") -> PydanticCustomError:
    """An error for a field validator, with the hint that its reader gets."""
    return PydanticCustomError("rule", "{what}", {"what": message, "hint": hint})


@dataclass(frozen=True)
class Matching:
    """A text that matches `pattern`. Its error says `what` the text must be, rather than the pattern that it misses."""

    pattern: str
    what: str
    example: str

    def check(self, text: str) -> str:
        """The text itself, or an error with the example."""
        if not re.fullmatch(self.pattern, text):
            raise refuse(f"`{text}` is not {self.what}", f"for example `{self.example}`")
        return text

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        examples = [self.example.strip('"')]
        return {**handler(schema), "pattern": f"^{self.pattern}$", "examples": examples}


def _cidr(text: Any) -> Any:
    if not isinstance(text, str):
        raise refuse(f"`{text}` is not a block of addresses", "for example `10.20.0.0/16`")
    try:
        network = ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        raise refuse(f"`{text}` is not a block of IPv4 addresses", "for example `10.20.0.0/16`") from None
    if "/" not in text:
        raise refuse(f"`{text}` has no prefix length", f"did you mean `{text}/16`?")
    if str(network.network_address) != text.split("/")[0]:
        raise refuse(f"`{text}` has host bits set", f"did you mean `{network}`?")
    return network


CIDR_SCHEMA = {"type": "string", "pattern": r"^[0-9.]+/[0-9]+$", "examples": ["10.20.0.0/16"]}

Cidr = Annotated[ipaddress.IPv4Network, PlainValidator(_cidr), WithJsonSchema(CIDR_SCHEMA)]

CLUSTER_NAME = r"(?=.{3,30}$)(?!.*(aws|amazon|cognito))[a-z](-?[a-z0-9])+"
"""3–30 characters: IAM role names (64) and bucket names (63) are made from it and must still fit.

RDS takes no two hyphens in a row, and Cognito's login prefix none of the three words.
"""

CLUSTER_NAME_WORDS = (
    "a cluster name (3–30 lower-case letters, digits, single hyphens; a letter first; not aws, amazon, cognito)"
)

ClusterName = Annotated[
    str,
    Matching(CLUSTER_NAME, CLUSTER_NAME_WORDS, "prod-tokyo"),
]
Name = Annotated[
    str,
    Matching(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?", "a name (lower-case letters, digits, hyphens)", "gpu-t4"),
]
Account = Annotated[str, Matching(r"[0-9]{12}", "an AWS account id of twelve digits", '"123456789012"')]
Region = Annotated[str, Matching(r"[a-z]{2}-[a-z]+-[0-9]", "an AWS region", "ap-northeast-1")]
Minor = Annotated[str, Matching(r"1\.[1-9][0-9]", "a Kubernetes minor version", '"1.35"')]
Domain = Annotated[
    str,
    Matching(
        r"(?=.{4,200}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}", "a domain name", "inference.example.com"
    ),
]
LABEL_PREFIX = r"([a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?/)?"
LabelKey = Annotated[
    str,
    Matching(LABEL_PREFIX + r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?", "a label key", "team.example.com/queue"),
]
LabelValue = Annotated[
    str,
    Matching(r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?", "a label value", "batch"),
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
S3Prefix = Annotated[
    str,
    Matching(r"[A-Za-z0-9!_.*'()-]+(/[A-Za-z0-9!_.*'()-]+)*/", "an S3 prefix that ends in `/`", "movies/"),
]
