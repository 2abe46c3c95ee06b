"""A YAML document as a tree in which every key and value knows its line and column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from generators.errors import Place

Scalar = str | int | float | bool | None


@dataclass(slots=True)
class Node:
    """A value with its place. `raw` is a scalar's text as written, empty for a quoted one."""

    place: Place
    value: Scalar | dict[str, Node] | list[Node]
    raw: str = ""
    keys: dict[str, Place] = field(default_factory=dict)
    """Where each key of a mapping stands."""

    def plain(self) -> object:
        """The value without places: dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def find(self, path: tuple[str | int, ...]) -> Node | None:
        """The node at `path`, or None."""
        node: Node | None = self
        for step in path:
            node = _child(node, step)
        return node

    def place_of(self, path: tuple[str | int, ...], *, of_key: bool = False) -> Place:
        """Where `path` stands; where it does not, its nearest ancestor. A mapping or list stands at its key."""
        node, place = self, self.place
        for step in path:
            child = _child(node, step)
            if child is None:
                return place
            key_tells_more = of_key or isinstance(child.value, (dict, list))
            place = node.keys[step] if isinstance(step, str) and key_tells_more else child.place
            node = child
        return place

    def nulls(self, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Place]]:
        """Path and place of every value that is left empty."""
        if isinstance(self.value, dict):
            for key, node in self.value.items():
                yield from node.nulls((*path, key))
        elif isinstance(self.value, list):
            for index, node in enumerate(self.value):
                yield from node.nulls((*path, index))
        elif self.value is None:
            yield path, self.place

    def places(self) -> Iterator[Place]:
        """Places of this node and of every key and value below it."""
        yield self.place
        yield from self.keys.values()
        for child in self._children():
            yield from child.places()

    def _children(self) -> Iterable[Node]:
        if isinstance(self.value, dict):
            return self.value.values()
        return self.value if isinstance(self.value, list) else ()

    def scalars(self) -> Iterator[Node]:
        """Every scalar below this node, itself included."""
        if isinstance(self.value, (dict, list)):
            for child in self._children():
                yield from child.scalars()
        else:
            yield self


def _child(node: Node | None, step: str | int) -> Node | None:
    if node is None:
        return None
    if isinstance(node.value, dict) and isinstance(step, str):
        return node.value.get(step)
    if isinstance(node.value, list) and isinstance(step, int) and step < len(node.value):
        return node.value[step]
    return None


def merge(over: Node, under: Node) -> Node:
    """`over` on top of `under`: mappings merge key by key, anything else is replaced. Places stay each file's own."""
    if not (isinstance(over.value, dict) and isinstance(under.value, dict)):
        return over
    value = dict(over.value)
    for key, node in under.value.items():
        value[key] = merge(value[key], node) if key in value else node
    return Node(over.place, value, keys={**under.keys, **over.keys})
