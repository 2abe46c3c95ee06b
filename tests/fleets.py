"""Small checkouts for tests: a workspace of its own with the real catalogue, and clusters by the dozen."""

from __future__ import annotations

import shutil
from functools import cache
from ipaddress import IPv4Network
from itertools import islice
from pathlib import Path

from generators.pipeline import fleet
from generators.source import edit
from generators.source.workspace import Workspace

ROOT = Path(__file__).parent.parent


def workspace(folder: Path) -> Workspace:
    """A checkout in `folder` with the defaults and the catalogue of this repository, and no cluster."""
    (folder / "clusters").mkdir(parents=True)
    shutil.copy(ROOT / "clusters" / "defaults.yaml", folder / "clusters" / "defaults.yaml")
    shutil.copytree(ROOT / "apps", folder / "apps")
    shutil.copytree(ROOT / "charts", folder / "charts")
    shutil.copytree(ROOT / "terraform" / "dashboards", folder / "terraform" / "dashboards")
    (folder / "schemas").mkdir()
    return Workspace(folder)


def text(cluster: str = "prod-tokyo") -> str:
    """The file of a committed cluster."""
    return (ROOT / "clusters" / cluster / "cluster.yaml").read_text(encoding="utf-8")


def add(target: Workspace, name: str, content: str) -> Path:
    """A cluster with this file; its folder."""
    folder = target.clusters / name
    folder.mkdir()
    (folder / "cluster.yaml").write_text(content, encoding="utf-8")
    return folder


def many(target: Workspace, count: int) -> list[str]:
    """`count` clusters like prod-tokyo, each with a name and a VPC block of its own."""
    source = edit.remove(text(), "prod-tokyo", ("access", "domain"))
    blocks = islice(IPv4Network("10.0.0.0/8").subnets(new_prefix=20), count)
    names = []
    for number, block in enumerate(blocks):
        names.append(f"cluster-{number:04d}")
        content = source.replace("name: prod-tokyo", f"name: {names[-1]}").replace("10.20.0.0/16", str(block))
        add(target, names[-1], content)
    return names


@cache
def committed() -> fleet.Fleet:
    """This repository itself, read once."""
    return fleet.read(Workspace(ROOT))
