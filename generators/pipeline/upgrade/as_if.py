"""A checkout in which a cluster's generated files are what they would be, for the tools that read files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from generators.output import disk
from generators.source.workspace import Workspace


@contextmanager
def rendered(workspace: Workspace, name: str, texts: Mapping[str, str]) -> Iterator[Path]:
    """Root of a temporary checkout with these generated files; what people wrote is linked into it."""
    with TemporaryDirectory(prefix="fleet-") as folder:
        root = Path(folder)
        cluster = root / "clusters" / name
        cluster.mkdir(parents=True)
        for part in ("apps", "charts", f"clusters/{name}/values"):
            if (workspace.root / part).is_dir():
                (root / part).symlink_to(workspace.root / part)
        disk.create_folder(cluster / disk.GENERATED, texts, str(cluster))
        yield root
