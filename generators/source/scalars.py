"""Plain YAML scalars, read as YAML 1.2 does, and refused where YAML 1.1 readers would see something else."""

from __future__ import annotations

import math
import re

from generators.source.nodes import Scalar

_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_OLD_BOOL = re.compile(r"y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF")
_OLD_NUMBER = re.compile(
    r"[-+]?(0[0-9_]+|0b[01_]+|0x[0-9a-fA-F_]+|0o[0-7]+|[0-9]+(_[0-9]+)+|[0-9]+(:[0-5]?[0-9])+(\.[0-9_]*)?)"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t].*)?")
_DIGITS = 24
"""No figure in a cluster file is longer; what is, stays a text, and the model refuses it as one."""


class Ambiguous(ValueError):
    """Readers of YAML disagree on this plain scalar. `hint` says how to write what is meant."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def read(text: str) -> Scalar:
    """The value of a plain scalar. Raises Ambiguous where YAML 1.1 and 1.2 differ, and for dates."""
    if text in _WORDS:
        return _WORDS[text]
    if _OLD_BOOL.fullmatch(text):
        raise Ambiguous(
            f"plain `{text}` is a boolean to some readers of YAML and a word to others",
            f'write `"{text}"` for the word, or `true` or `false`',
        )
    if _OLD_NUMBER.fullmatch(text):
        raise Ambiguous(
            f"plain `{text}` is read as different numbers, or loses its zeros",
            f'write `"{text}"` if it is a name or an id',
        )
    if _DATE.fullmatch(text):
        raise Ambiguous(f"plain `{text}` is a date to some readers of YAML", f'write `"{text}"`')
    if _INT.fullmatch(text):
        return int(text) if len(text) <= _DIGITS else text
    if _FLOAT.fullmatch(text):
        return float(text) if math.isfinite(float(text)) else text
    return text
