"""node-local-dns: the address that it stands in for, and its own."""

from __future__ import annotations

from generators.model import names
from generators.model.catalog import Inputs
from generators.renderers.charts.placement import Values


def facts(inputs: Inputs) -> Values:
    """The cluster DNS address, and the link-local one that it listens on."""
    return {"config": {"dnsServer": names.cluster_dns(inputs.cluster), "localDns": names.NODE_LOCAL_DNS}}
