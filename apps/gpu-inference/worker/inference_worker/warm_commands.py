"""The commands `warm`, `fetch` and `pin`, which have models in a folder of the node before pods need them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from inference_worker.errors import BadInput

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

HELP = {
    "warm": "keep models in a folder of the node, and remove others",
    "fetch": "have models in the folder, or say why not; exits with 0 either way",
    "pin": "have models in the folder, and keep them there until a signal",
}
FREE_PERCENTAGES = {"warm": 15, "fetch": 15, "pin": 10}
"""Of the disk that is left free. The kubelet removes images when less than 15 % is, and evicts pods when less than 10 %
is (its defaults): what is ahead of its time must not cost an image, what a server waits for may."""


def add(commands: Commands) -> Iterator[argparse.ArgumentParser]:
    """Adds the commands to a program's, and gives each."""
    for name, text in HELP.items():
        command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        command.add_argument("models", nargs="*", help="keys of ONNX files, or prefixes that end in a slash")
        command.add_argument("--bucket", default=os.environ.get("INFERENCE_BUCKET"), help="(INFERENCE_BUCKET)")
        command.add_argument("--folder", type=Path, required=True, help="folder of the node")
        command.add_argument("--limit-mib", type=int, required=True, help="most that all models together take")
        command.add_argument("--ready", type=Path, help="file that is there while all models are")
        yield command
        if name == "warm":
            command.add_argument("--every", type=float, default=600, help="seconds between two looks [600]")
        if name == "pin":
            command.add_argument("--view", type=Path, required=True, help="folder for links to the models")


def run(options: argparse.Namespace) -> int:
    """Runs one of the commands; its exit code. Raises BadInput, and for `pin` whatever keeps a model away."""
    from inference_worker import store, warming
    from inference_worker.shelf import Shelf

    if not options.bucket:
        raise BadInput("INFERENCE_BUCKET", "is not set", "see `python -m inference_worker warm --help`")
    if not options.folder.is_dir():
        raise BadInput(str(options.folder), "there is no such folder", "nodes make it when they boot")
    place = store.connect(options.bucket)
    shelf = Shelf(options.folder, options.limit_mib * 2**20, FREE_PERCENTAGES[options.command] / 100)
    if options.command == "fetch":
        warming.fetch(place, shelf, options.models)
        return 0
    if options.command == "warm":
        warming.warm(place, shelf, options.models, options.ready, options.every)
    held = warming.pin(place, shelf, options.models, options.view)
    if options.ready and held:
        options.ready.touch()
    warming.until_stopped()
    return 0
