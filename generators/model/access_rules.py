"""Rules over the way in: the host names of a cluster, and who reaches its load balancer."""

from __future__ import annotations

from collections.abc import Iterator

from .base import Finding
from .catalog import Inputs

COMMON_NAME_LIMIT = 64
"""Characters of a certificate's first name (ACM, RequestCertificate: DomainName)."""


def access(inputs: Inputs) -> Iterator[Finding]:
    """Names lie in a zone that can hold them and fit a certificate; nothing is set that has no effect."""
    found = inputs.cluster.access
    if found.load_balancer == "none":
        if "client_cidrs" in found.model_fields_set:
            hint = "leave it out, or set access.load_balancer"
            yield Finding(("access", "client_cidrs"), "has no effect without a load balancer", hint)
        return
    if not f".{found.domain}".endswith(f".{found.hosted_zone}"):
        what = f"`{found.domain}` does not lie in the hosted zone `{found.hosted_zone}`"
        hint = "name in access.hosted_zone a public zone of the cluster's account that the domain lies in"
        yield Finding(("access", "domain"), what, hint)
    if len(found.domain) > COMMON_NAME_LIMIT:
        what = f"has {len(found.domain)} characters; a certificate's name has {COMMON_NAME_LIMIT} at most"
        yield Finding(("access", "domain"), what, "take a shorter one")
    for index, block in enumerate(found.client_cidrs):
        if block in found.client_cidrs[:index]:
            yield Finding(("access", "client_cidrs", index), f"`{block}` is named twice", "each block gets one rule")
