"""Where a cluster's pages are: from an app's `ui` to the host, the target group and the port that lead to it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from . import names
from .catalog import Inputs


@dataclass(frozen=True)
class Route:
    """One app's pages: `host` in full, its NodePort and health path, and the name of its target group."""

    app: str
    host: str
    node_port: int
    health_path: str
    target_group: str

    @property
    def url(self) -> str:
        """Where a browser finds the pages."""
        return f"https://{self.host}"

    def facts(self) -> dict[str, object]:
        """What Terraform must know of it, under the app's name."""
        return {key: value for key, value in asdict(self).items() if key != "app"}


def routes(inputs: Inputs) -> list[Route]:
    """Routes of the apps that run here and have pages, sorted by app; none without a load balancer."""
    cluster = inputs.cluster
    if cluster.access.load_balancer == "none":
        return []
    return [
        Route(
            app=name,
            host=names.ui_host(cluster, app.ui),
            node_port=app.ui.node_port,
            health_path=app.ui.health_path,
            target_group=names.target_group(cluster, name, app.ui),
        )
        for name, app in sorted(inputs.apps().items())
        if app.ui
    ]
