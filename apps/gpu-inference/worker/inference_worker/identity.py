"""Whose rights a worker has: in a cluster those of its ServiceAccount's role, by web identity, and no others."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path

from inference_worker.errors import BadInput

WEB_IDENTITY = ("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE")
BEFORE_IT = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")
"""What AWS's SDKs would take before a web identity."""


def settle(environment: MutableMapping[str, str], laptop: bool) -> None:
    """Closes the node's metadata for this process, and sees to it that a web identity is what AWS's SDK will find.

    A laptop's own keys or profile will do where `laptop` says so; metadata stays closed there too. Raises BadInput.
    """
    environment["AWS_EC2_METADATA_DISABLED"] = "true"
    if laptop:
        return
    environment.setdefault("AWS_STS_REGIONAL_ENDPOINTS", "regional")
    if static := [name for name in BEFORE_IT if environment.get(name)]:
        hint = "use the ServiceAccount's role; on a laptop: --laptop"
        raise BadInput(static[0], "a pod must not hold keys or a profile of AWS", hint)
    if missing := [name for name in WEB_IDENTITY if not environment.get(name)]:
        hint = "has the ServiceAccount the annotation eks.amazonaws.com/role-arn? On a laptop: --laptop"
        raise BadInput(missing[0], "is not set: there is no web identity, and nothing else is taken", hint)
    if not Path(environment["AWS_WEB_IDENTITY_TOKEN_FILE"]).is_file():
        raise BadInput("AWS_WEB_IDENTITY_TOKEN_FILE", f"there is no `{environment['AWS_WEB_IDENTITY_TOKEN_FILE']}`")
