"""Documents as YAML that is pleasant to read: block style, literal blocks, and quotes where any reader needs them."""

from __future__ import annotations

import re

import yaml

_NUMBER_ELSEWHERE = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?|0[box][0-9a-fA-F_]+")
"""Texts that YAML 1.2 or Go's parser reads as numbers, though PyYAML's YAML 1.1 does not."""


class _Dumper(yaml.CSafeDumper):
    """libyaml's emitter with our styles. No aliases: each object stands on its own."""

    def ignore_aliases(self, *_: object) -> bool:
        """Never write `&id001`."""
        return True


def _text(dumper: yaml.CSafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if "\n" in text:
        style = "|"
    elif _NUMBER_ELSEWHERE.fullmatch(text) or text in ("y", "Y", "n", "N"):
        style = "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def dump(document: object) -> str:
    """One YAML document. Key order is kept; lines are never folded."""
    return str(yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=4096, allow_unicode=True))
