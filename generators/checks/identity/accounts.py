"""ServiceAccounts among the rendered objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from generators.checks.identity.evidence import Account, Document, texts


def rendered(documents: Iterable[Document]) -> Iterator[Account]:
    """Each ServiceAccount that the objects hold."""
    for document in documents:
        if document.kind == "ServiceAccount":
            annotations = texts(document.metadata.get("annotations"))
            yield Account(document.app, document.namespace, document.name, annotations, document.spot, ("metadata",))
