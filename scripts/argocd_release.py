"""What Argo CD's own Application says of its chart: the first install must make what Argo CD then takes for its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from generators.errors import wrong
from scripts.target import Target

APPLICATION = "argo-cd"
VALUES = "$values/"
"""How the Application's value files name the root of the repository."""


@dataclass(frozen=True)
class Release:
    """A Helm release."""

    name: str
    namespace: str
    labels: dict[str, str]
    """Of the namespace."""
    repository: str
    chart: str
    version: str
    values: list[Path]
    """Lowest precedence first."""

    @property
    def domain(self) -> str:
        """Host name of Argo CD's pages."""
        found = [yaml.safe_load(path.read_text(encoding="utf-8")) or {} for path in reversed(self.values)]
        return next((each["global"]["domain"] for each in found if "domain" in each.get("global", {})), "localhost")

    def source(self, chart: Path | None) -> list[str]:
        """Helm's words for where the chart is: in its repository, or a local copy."""
        if chart:
            return [str(chart)]
        if "://" in self.repository:
            return [self.chart, "--repo", self.repository, "--version", self.version]
        return [f"oci://{self.repository}/{self.chart}", "--version", self.version]


def read(target: Target) -> Release:
    """From the committed Application. Raises FleetError where it is missing, or one of its files is."""
    root = target.workspace.root
    application = document(target, f"clusters/{target.name}/generated/argocd/{APPLICATION}.yaml")
    spec = application["spec"]
    chart = spec["sources"][0]
    values = [root / path.removeprefix(VALUES) for path in chart["helm"]["valueFiles"]]
    for path in values:
        if not path.is_file():
            raise wrong(str(path.relative_to(root)), "is missing", hint=f"make render NAME={target.name}")
    return Release(
        name=chart["helm"]["releaseName"],
        namespace=spec["destination"]["namespace"],
        labels=spec["syncPolicy"]["managedNamespaceMetadata"]["labels"],
        repository=chart["repoURL"],
        chart=chart["chart"],
        version=chart["targetRevision"],
        values=values,
    )


def document(target: Target, path: str) -> dict[str, Any]:
    """A generated file with one object. Raises FleetError where it is missing."""
    try:
        found: dict[str, Any] = yaml.safe_load((target.workspace.root / path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise wrong(path, "is missing", hint=f"make render NAME={target.name}") from None
    return found
