"""Makes a new cluster: its file from a template or from another cluster, with a VPC block that nobody has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from ipaddress import IPv4Network
from pathlib import Path
from string import Template

from generators.errors import FleetError, Problem, wrong
from generators.model.defaults import Defaults
from generators.model.network import Network
from generators.output import disk
from generators.pipeline.fleet import Fleet
from generators.source import binding, clusters, edit, reader

VPC_PREFIX = 16
SERVICES = Network.model_fields["service_cidr"].default
"""Every cluster's own range of Services, unless its file says otherwise."""
_OWN = (("storage", "bucket"), ("access", "domain"), ("access", "hosted_zone"), ("account",))
"""What a copy must not take over: these names can belong to one cluster only, or follow from its environment."""


@dataclass(frozen=True)
class Wanted:
    """What the caller asked for; an empty text means: by default."""

    name: str
    region: str = ""
    account: str = ""
    environment: str = ""
    like: str = ""


def create(fleet: Fleet, wanted: Wanted) -> Path:
    """Writes `clusters/<name>/cluster.yaml` and returns its folder. Raises FleetError and then leaves nothing."""
    folder = fleet.workspace.folder(wanted.name)
    if folder.exists():
        hint = "the folder has no cluster.yaml: remove it"
        if (folder / "cluster.yaml").exists():
            hint = f"`fleet render {wanted.name}` renders it; `fleet delete {wanted.name}` removes it"
        raise wrong(f"clusters/{wanted.name}", "exists already", hint=hint)
    _refuse(wanted)
    text = _text(fleet, wanted)
    shown = clusters.shown(wanted.name)
    node = reader.parse(text, shown)
    clusters.check(fleet.workspace, wanted.name, node, fleet.defaults, fleet.catalog)
    disk.create_folder(folder, {"cluster.yaml": text}, f"clusters/{wanted.name}")
    return folder


def _refuse(wanted: Wanted) -> None:
    """Options that would break out of the line they are written to. Their values are checked with the whole file."""
    for option, value in (("--account", wanted.account), ("--environment", wanted.environment)):
        if value and not re.fullmatch(r"[A-Za-z0-9-]+", value):
            raise wrong("fleet new", f"`{value}` is not a value for it", key=option)


def _text(fleet: Fleet, wanted: Wanted) -> str:
    defaults = binding.bind(Defaults, fleet.defaults)
    region = wanted.region or (fleet.load(wanted.like).cluster.region if wanted.like else defaults.region)
    if region not in fleet.catalog.regions:
        hint = f"one of {', '.join(fleet.catalog.regions)}"
        raise wrong("fleet new", f"`{region}` is not a region that this fleet knows", key="--region", hint=hint)
    vpc = free_block(fleet, defaults.vpc_pool)
    if wanted.like:
        return _copy(fleet, wanted, vpc)
    template = Template(files("generators.source").joinpath("cluster_template.yaml").read_text(encoding="utf-8"))
    environment = wanted.environment or "development"
    zones = ", ".join(fleet.catalog.regions[region].zones)
    text = template.substitute(name=wanted.name, environment=environment, vpc_cidr=vpc, zones=zones)
    return _with(text, wanted)


def _with(text: str, wanted: Wanted) -> str:
    """The lines for region and account, where they are not the defaults."""
    extra = f"region: {wanted.region}\n" if wanted.region else ""
    extra += f'account: "{wanted.account}"\n' if wanted.account else ""
    head, tail = text.split("\n\n", 1)
    return f"{head}\n{extra}\n{tail}"


def _copy(fleet: Fleet, wanted: Wanted, vpc: IPv4Network) -> str:
    """The other cluster's file, comments and all, with what must differ changed."""
    path = fleet.workspace.existing(wanted.like) / "cluster.yaml"
    shown = clusters.shown(wanted.like)
    text = path.read_text(encoding="utf-8")
    for own in _OWN:
        text = edit.remove(text, shown, own)
    for key, value in _changes(fleet, wanted, vpc):
        text = edit.set_value(text, shown, key, value)
    return text


def _changes(fleet: Fleet, wanted: Wanted, vpc: IPv4Network) -> Iterator[tuple[edit.Path, object]]:
    yield ("name",), wanted.name
    yield ("network", "vpc_cidr"), str(vpc)
    if wanted.environment:
        yield ("environment",), wanted.environment
    if wanted.account:
        yield ("account",), edit.quoted(wanted.account)
    if wanted.region:
        yield ("region",), wanted.region
        count = len(fleet.load(wanted.like).cluster.network.zones)
        zones = ", ".join(fleet.catalog.regions[wanted.region].zones[:count])
        yield ("network", "zones"), edit.parse_value(f"[{zones}]")


def free_block(fleet: Fleet, pool: IPv4Network) -> IPv4Network:
    """The first /16 of the pool that overlaps no cluster's VPC or pod block. Raises FleetError."""
    taken = [SERVICES, *(block for name in fleet.workspace.names() for block in _blocks(fleet, name))]
    for block in pool.subnets(new_prefix=VPC_PREFIX):
        if not any(block.overlaps(other) for other in taken):
            return block
    hint = "give the new cluster a smaller block by hand, or widen vpc_pool in clusters/defaults.yaml"
    raise wrong("clusters/defaults.yaml", f"every /16 of `{pool}` is taken", key="vpc_pool", hint=hint)


def _blocks(fleet: Fleet, name: str) -> Iterator[IPv4Network]:
    """Read from the file's nodes: a cluster with an error elsewhere still owns its addresses."""
    node = reader.read(fleet.workspace.existing(name) / "cluster.yaml", clusters.shown(name))
    for path in (("network", "vpc_cidr"), ("network", "pod_cidrs")):
        found = node.find(path)
        for scalar in found.scalars() if found else ():
            try:
                yield IPv4Network(str(scalar.value), strict=False)
            except ValueError:
                hint = "repair that cluster first: which addresses it owns cannot be told"
                message = f"`{scalar.value}` is not a block of IPv4 addresses"
                raise FleetError(Problem(scalar.place, message, ".".join(path), hint)) from None
