"""ServiceAccounts among the rendered objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from generators.checks.identity.evidence import Account, Document, mapping, texts


def rendered(documents: Iterable[Document]) -> Iterator[Account]:
    """Each ServiceAccount that the objects hold."""
    for document in documents:
        if document.content.get("kind") == "ServiceAccount":
            metadata = mapping(document.content.get("metadata"))
            yield Account(
                app=document.app,
                namespace=str(metadata.get("namespace", "")),
                name=str(metadata.get("name", "")),
                annotations=texts(metadata.get("annotations")),
                spot=document.spot,
                at=("metadata",),
            )
