"""Nothing in the repository lets anybody in: no access key, private key, token, or Secret with its data.

Patterns of our own, few and anchored to what each issuer puts in front, rather than a search for whatever looks random:
what they find is a secret, so that a finding is never waved through. See docs/adr/0021-secret-scan.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

from generators.checks.policy.objects import at
from generators.model.base import Finding

EXAMPLES = frozenset(
    {
        "AKIAIOSFODNN7EXAMPLE",
        "ASIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    }
)
"""Keys that AWS's documentation uses (IAM User Guide, Managing access keys). Nothing else is allowed."""

REVOKE = "revoke it where it was issued, before anything else: who has the repository has it; then take it out"
ROLE = f"{REVOKE}. Pods get an IAM role by `identities` in app.yaml, people by their own login"
KEEP_OUT = "secrets live in AWS Secrets Manager, and external-secrets brings them into the cluster"


@dataclass(frozen=True)
class Pattern:
    """What a kind of secret looks like. The group `secret`, or the whole match, is the secret itself."""

    what: str
    regex: re.Pattern[str]
    hint: str = REVOKE


PATTERNS = (
    Pattern("an AWS access key id", re.compile(r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Za-z0-9])"), ROLE),
    Pattern(
        "an AWS secret access key",
        re.compile(
            r"secret_?(?:access_?)?key(?:_?id)?[\"'`]?\s*[:=]\s*[\"'`]?(?P<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
            re.IGNORECASE,
        ),
        ROLE,
    ),
    Pattern(
        "an AWS session token",
        re.compile(r"session_?token[\"'`]?\s*[:=]\s*[\"'`]?(?P<secret>[A-Za-z0-9/+=]{100,})", re.IGNORECASE),
        ROLE,
    ),
    Pattern("a private key", re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----")),
    Pattern("the key of a kubeconfig", re.compile(r"client-key-data:\s*(?P<secret>[A-Za-z0-9+/=]{40,})")),
    Pattern("a GitHub token", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})")),
    Pattern("a GitLab token", re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}")),
    Pattern(
        "a Slack token or webhook",
        re.compile(
            r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}|hooks\.slack\.com/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{16,}"
        ),
    ),
    Pattern("a Hugging Face token", re.compile(r"\bhf_[A-Za-z]{30,}\b")),
    Pattern("a Google API key", re.compile(r"\bAIza[A-Za-z0-9_-]{35}")),
    Pattern("a signed token", re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}")),
    Pattern(
        "a URL with its password",
        re.compile(
            r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"'`<>${}%]{1,64}:(?P<secret>[^\s/:@\"'`<>${}%]{3,64})@[A-Za-z0-9]"
        ),
        f"{REVOKE}. {KEEP_OUT}",
    ),
    Pattern(
        "MinIO's password that everybody knows",
        re.compile(r"\bminio1" + r"23\b"),
        "no app here brings MinIO: artifacts go to S3, by the pod's IAM role",
    ),
)

FILES = re.compile(
    r"(?:.*/)?(?:.*\.tfstate(?:\..*)?|.*\.(?:p12|pfx|jks|keystore)|id_(?:rsa|dsa|ecdsa|ed25519)|\.netrc|kubeconfig)"
)
"""Names of files that hold secrets whatever they say."""

TEMPLATE = re.compile(r"charts/[^/]+/templates/")
"""Templates of charts: their objects are looked at once helm has made them."""
SECRET = re.compile(r"kind[\"']?:\s*[\"']?Secret\b")
DATA = ("data", "stringData")


def findings(path: str, text: str) -> Iterator[tuple[int, int, Finding]]:
    """Line, column and finding for each secret in a file of the repository; both count from 1."""
    if FILES.fullmatch(path):
        yield 1, 1, Finding((), "a file of this kind holds secrets", f"{REVOKE}, and name the file in .gitignore")
    for pattern in PATTERNS:
        for match in pattern.regex.finditer(text):
            secret = match["secret"] if "secret" in pattern.regex.groupindex else match[0]
            if secret not in EXAMPLES:
                start = match.start() if secret == match[0] else match.start("secret")
                yield *_place(text, start), Finding((), f"holds {pattern.what}: {_masked(secret)}", pattern.hint)
    if path.endswith((".yaml", ".yml", ".json")) and not TEMPLATE.match(path):
        for line, column in _secrets(text):
            yield line, column, Finding((), "is a Secret with its data, in git for ever", KEEP_OUT)


def _place(text: str, index: int) -> tuple[int, int]:
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


def _masked(secret: str) -> str:
    """Enough to find it again: what checks print ends up in logs."""
    return f"`{secret[:4]}…`, {len(secret)} characters"


def _secrets(text: str) -> Iterator[tuple[int, int]]:
    """Where each object of kind Secret that has data begins to say so, at whatever depth and in whatever style."""
    if not SECRET.search(text):
        return
    try:
        documents = list(yaml.compose_all(text, Loader=yaml.CSafeLoader))
    except yaml.YAMLError:
        return  # what cannot be read cannot be applied
    for document in documents:
        for mapping in _mappings(document):
            found = {key.value: (key, value) for key, value in mapping.value if isinstance(key, yaml.ScalarNode)}
            if (
                "kind" in found
                and found["kind"][1].value == "Secret"
                and any(
                    isinstance(found[key][1], yaml.MappingNode) and found[key][1].value for key in DATA if key in found
                )
            ):
                mark = found["kind"][0].start_mark
                yield mark.line + 1, mark.column + 1


def _mappings(node: yaml.Node | None) -> Iterator[yaml.MappingNode]:
    if isinstance(node, yaml.MappingNode):
        yield node
        for _, value in node.value:
            yield from _mappings(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _mappings(item)


def of_object(document: Mapping[str, object]) -> Iterator[Finding]:
    """What a rendered object would bring of a secret: a Secret's data, or a store that signs in with a key."""
    kind = document.get("kind")
    if kind == "Secret":
        for key in DATA:
            if document.get(key):
                yield Finding((key,), "is a Secret with its data, in git for ever", KEEP_OUT)
    elif kind in {"SecretStore", "ClusterSecretStore"} and at(document, "spec", "provider", "aws", "auth", "secretRef"):
        what = "signs in to AWS with a static key"
        yield Finding(("spec", "provider", "aws", "auth", "secretRef"), what, "leave it out: the operator has a role")
