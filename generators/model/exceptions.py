"""Exceptions from policy: which rules an app may break with a reason, and for which of its objects."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from .base import Matching

Excusable = Literal[
    "budget-pods",
    "host-path",
    "network-policy",
    "node-selector",
    "privilege",
    "rbac-binding",
    "rbac-escalation",
    "rbac-wildcard",
    "restricted",
    "spread",
    "system-nodes",
    "tolerations",
]
"""Rules that a reason may set aside. All others hold always: what they ask for can be had, or the list has reasons."""
EXCUSABLE = frozenset(get_args(Excusable))

ObjectPattern = Annotated[
    str,
    Matching(r"[A-Z][A-Za-z]+/[a-z0-9*][a-z0-9.:*-]*", "`Kind/name`, where `*` stands for any text", "DaemonSet/agent"),
]
Excuse = tuple[str, str, str]
"""An exception: app, rule, and pattern of its objects."""
