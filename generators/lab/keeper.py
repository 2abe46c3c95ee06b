"""The process that a lab belongs to: `python -m generators.lab.keeper ROOT CLUSTER FOLDER NODES CHARTS`.

It brings the lab up, writes its state, and waits to be ended. When it goes, by whatever signal, its programs go too.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import cast

from generators.errors import FleetError
from generators.lab import Charts
from generators.lab.home import Home
from generators.lab.lab import Lab, Size, lab
from generators.lab.processes import LabFailed, die_with_parent
from generators.source.workspace import Workspace
from generators.tools.binaries import ToolFailed, ToolMissing

TEND_SECONDS = 2.0


def main(root: str, name: str, folder: str, total_nodes: str, charts: str) -> int:
    """Exit code: 0 it was ended, 1 it failed."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: _interrupt(ended))
    size = Size(int(total_nodes), charts=cast(Charts, charts))
    home = Home(Path(folder))
    home.write(home.state.name, json.dumps({"pid": os.getpid(), "up": False}))
    try:
        with lab(Workspace(Path(root)), name, Path(folder), size=size, say=_say) as made:
            die_with_parent(0)  # who called `fleet lab up` goes now
            home.write(home.state.name, json.dumps(_state(name, made), indent=1))
            while not ended.wait(TEND_SECONDS):
                made.tend()
    except KeyboardInterrupt:
        return 0
    except ToolMissing as missing:
        return _say(f"error: {missing}\nhint: {missing.hint}", 1)
    except (FleetError, LabFailed, ToolFailed) as error:
        return _say(str(error) if isinstance(error, FleetError) else f"error: {error}", 1)
    finally:
        home.state.unlink(missing_ok=True)
    return 0


def _state(name: str, made: Lab) -> dict[str, object]:
    """What `fleet lab status` tells of a lab that is up."""
    about = {"left_out": made.left_out, "kubernetes": made.kubernetes, "url": made.api.url}
    return {"pid": os.getpid(), "up": True, "cluster": name, **about}


def _interrupt(ended: threading.Event) -> None:
    """Before the lab is up, waiting is cut short; afterwards the loop sees it."""
    if ended.is_set():
        return
    ended.set()
    raise KeyboardInterrupt


def _say(text: str, code: int = 0) -> int:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
