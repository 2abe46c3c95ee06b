"""Moto's server, extended, in a process of its own: its state is its own, and ends with it."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

ROOT = Path(__file__).parent.parent.parent


@contextmanager
def serving(account: str, throttled: float = 0, recorded: bool = False) -> Iterator[str]:
    """URL of a server, for AWS_ENDPOINT_URL. All that call it are of this account, whoever signs.

    This part of the requests is refused at random, as S3 refuses what is too much: see `tests.aws.throttling`.
    What is asked is kept where `recorded` says so: see `tests.aws.recording`.
    """
    env = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "MOTO_"))}
    env |= {
        "MOTO_ACCOUNT_ID": account,
        # Certificates are issued at once.
        "MOTO_ACM_VALIDATION_WAIT": "0",
        "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
        "PYTHONPATH": str(ROOT),
        "THROTTLED": str(throttled),
        "RECORDED": "yes" if recorded else "",
    }
    command, pipe = [sys.executable, "-m", "tests.aws.server"], subprocess.PIPE
    with subprocess.Popen(command, env=env, stdin=pipe, stdout=pipe, text=True) as server:
        assert server.stdout
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}"


def main() -> None:
    """Serve until stdin ends, as it does with the process that asked; the port is the only line on stdout."""
    import moto.eks.urls
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    from tests.aws import gaps, recording, requests, throttling
    from tests.aws.eks_access import AccessEntries
    from tests.aws.eks_addons import Addons
    from tests.aws.eks_clusters import Clusters
    from tests.aws.eks_node_groups import NodeGroups

    class All(Clusters, NodeGroups, Addons, AccessEntries):
        """All of EKS that there is here."""

    moto.eks.urls.url_paths.clear()
    moto.eks.urls.url_paths["{0}/(?P<path>.+)$"] = All.dispatch
    gaps.mend()
    requests.hold()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = throttling.around(DomainDispatcherApplication(create_backend_app), float(os.environ["THROTTLED"]))
    app = recording.around(app) if os.environ["RECORDED"] else app
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=MotoRequestHandler)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
