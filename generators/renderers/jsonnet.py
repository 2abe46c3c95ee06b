"""Runs jsonnet: a file of the repository holds a function of one argument, the cluster's facts."""

from __future__ import annotations

import json
import posixpath
import re
from typing import Any

import rjsonnet

from generators.errors import FleetError, Place, Problem
from generators.model.catalog import Inputs

Facts = dict[str, object]


def evaluate(inputs: Inputs, file: str, facts: Facts) -> Any:
    """What the function in `file`, named from the repository's root, makes of `facts`. Raises FleetError."""
    sources = inputs.catalog.jsonnet

    def load(folder: str, relative: str) -> tuple[str, str]:
        # For the snippet itself the engine passes the process's folder; imports start at the repository's root instead.
        path = posixpath.normpath(posixpath.join("" if posixpath.isabs(folder) else folder, relative))
        if path not in sources:
            raise FileNotFoundError(f"{path} is not there")
        return path, sources[path]

    argument = {"cluster": json.dumps(facts)}
    try:
        text = rjsonnet.evaluate_snippet("main", f"import '{file}'", tla_codes=argument, import_callback=load)
    except RuntimeError as error:
        raise _refused(file, inputs.cluster.name, str(error)) from None
    return json.loads(text)


def _refused(file: str, cluster: str, text: str) -> FleetError:
    """The engine's first line, at the first place of its trace."""
    message = text.strip().splitlines()[0]
    frame = re.search(r"^\s+(\S+sonnet):(\d+):(\d+)", text, re.MULTILINE)
    place = Place(frame[1], int(frame[2]), int(frame[3])) if frame else Place(file)
    hint = f"it was rendered for `{cluster}`, whose facts reach it as its one argument"
    return FleetError(Problem(place, message, hint=hint))
