"""Workload identities: one declaration in app.yaml becomes the IAM role, its trust and the annotation."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from . import names
from .catalog import Inputs, Statement

ROLE_ANNOTATION = "eks.amazonaws.com/role-arn"
STS_ANNOTATION = "eks.amazonaws.com/sts-regional-endpoints"


@dataclass(frozen=True)
class WorkloadIdentity:
    """A ServiceAccount with its IAM role. `statements` are IAM policy statements with all placeholders filled."""

    app: str
    namespace: str
    service_account: str
    role_name: str
    role_arn: str
    values_path: str
    sdk: str
    statements: list[dict[str, object]]

    @property
    def annotations(self) -> dict[str, str]:
        """Annotations of the ServiceAccount: the role, and tokens from the region's own STS."""
        return {ROLE_ANNOTATION: self.role_arn, STS_ANNOTATION: "true"}


def identities(inputs: Inputs) -> list[WorkloadIdentity]:
    """Every identity of the cluster's apps, sorted by app and ServiceAccount."""
    cluster = inputs.cluster
    values = names.placeholders(cluster)
    return [
        WorkloadIdentity(
            app=name,
            namespace=app.namespace,
            service_account=account,
            role_name=names.role_name(cluster, app.namespace, account),
            role_arn=names.role_arn(cluster, app.namespace, account),
            values_path=identity.values_path or "",
            sdk=identity.sdk,
            statements=[filled for each in identity.statements if (filled := _statement(each, values))["Resource"]],
        )
        for name, app in inputs.apps().items()
        for account, identity in sorted(app.identities.items())
    ]


FIELD = re.compile(r"(?<!\$)\{([^{}]*)\}")
"""A placeholder. `${…}` is none: that is IAM's own, for policy variables."""


def fields(text: str) -> list[str]:
    """Names of the `{placeholders}` in a text."""
    return FIELD.findall(text)


def _statement(statement: Statement, values: dict[str, tuple[str, ...]]) -> dict[str, object]:
    filled: dict[str, object] = {
        "Effect": "Allow",
        "Action": sorted(statement.actions),
        "Resource": _fill(statement.resources, values),
    }
    if statement.conditions:
        filled["Condition"] = {
            operator: {name: _fill(wanted, values) for key, wanted in keys.items() for name in _fill([key], values)}
            for operator, keys in statement.conditions.items()
        }
    return filled


def _fill(templates: Iterable[str], values: dict[str, tuple[str, ...]]) -> list[str]:
    """Each template once for each combination of its placeholders' values."""
    found = []
    for template in templates:
        used = sorted(set(fields(template)))
        for chosen in product(*(values[name] for name in used)):
            replacements = dict(zip(used, chosen, strict=True))
            found.append(FIELD.sub(lambda match, by=replacements: by[match[1]], template))  # type: ignore[misc]
    return found
