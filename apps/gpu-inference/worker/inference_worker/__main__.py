"""`python -m inference_worker run`: one shard of a batch, as the Indexed Job's pod of this index.

The other commands, `warm`, `fetch` and `pin`, have models on the node before their pods: see `warm_commands`.

Exit codes: 0 the shard is done; 65 the input is at fault; 75 stopped by SIGTERM or SIGINT, the place is saved, and
another attempt goes on from it; anything else: worth another attempt.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event

from inference_worker import errors, identity, settings, warm_commands
from inference_worker.errors import BadInput
from inference_worker.settings import Settings
from inference_worker.telemetry import Metrics, say

STOPPED = 75
"""EX_TEMPFAIL; the Jobs' podFailurePolicy does not count it."""
OPTIONS = {
    "bucket": "INFERENCE_BUCKET",
    "input": "INFERENCE_INPUT",
    "output": "INFERENCE_OUTPUT",
    "model": "INFERENCE_MODEL",
    "shards": "INFERENCE_SHARDS",
    "index": "JOB_COMPLETION_INDEX",
    "server": "INFERENCE_SERVER",
    "gpu-memory-mib": "INFERENCE_GPU_MEMORY_MIB",
    "run": "INFERENCE_RUN",
    "per-second": "INFERENCE_FRAMES_PER_SECOND",
    "width": "INFERENCE_WIDTH",
    "save-seconds": "INFERENCE_SAVE_SECONDS",
    "models-folder": "INFERENCE_MODELS_FOLDER",
}
HELP = {
    "bucket": "S3 bucket of everything below",
    "input": "prefix of the movies",
    "output": "prefix of the results",
    "model": "key of an ONNX file; with --server, the model's name there",
    "shards": "of how many [1]",
    "index": "which shard, from 0 [0]",
    "server": "host:port of a model server's HTTP, as Triton's [none: onnxruntime in this process]",
    "gpu-memory-mib": "run the model on the GPU, in this much of its memory [0: on the CPU]",
    "run": "a run's name; another one lists the input again [default]",
    "per-second": "frames looked at in each second of a movie [1]",
    "width": "scale frames down to this many pixels [0: never]",
    "save-seconds": "how often the place within a movie is saved [60]",
    "models-folder": "folder of the node where the model may lie already [none]",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command, and says how it ended by an exit code."""
    options = _parse(arguments)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # The other commands have no place to save: whatever they were at, the node's folder is whole.
        signal.signal(number, lambda *_: stop.set() if options.command == "run" else os._exit(0))
    try:
        identity.settle(os.environ, options.laptop)
        if options.command != "run":
            return warm_commands.run(options)
        return _run(settings.read(os.environ | _given(options)), stop)
    except BadInput as fault:
        say(str(fault), "error")
        return errors.EXIT_CODE
    except Exception as error:  # noqa: BLE001 (whatever it is, one line of JSON tells it, and another attempt is made)
        say(f"{type(error).__name__}: {error}", "error", trace=traceback.format_exc())
        return 1


def _run(told: Settings, stop: Event) -> int:
    from inference_worker import store, warming
    from inference_worker.batch import Shard, Stopped
    from inference_worker.model import Model, load
    from inference_worker.progress import Progress
    from inference_worker.server import connect

    place = store.connect(told.bucket)

    @contextmanager
    def model() -> Iterator[Model]:
        if told.server:
            yield connect(told.server, told.model)
            return
        with warming.file(place, told.model, told.models_folder) as file:
            yield load(file, place.url(told.model), "cuda" if told.gpu_memory_mib else "cpu", told.gpu_memory_mib)

    dimensions = {"ClusterName": told.cluster, "Batch": told.batch}
    metrics = Metrics(dimensions, Run=told.run, Model=told.model)
    say("starts", shard=told.index, shards=told.shards, input=place.url(told.input), output=place.url(told.results))
    try:
        with model() as loaded:
            reports = Shard(Progress(place, told), loaded, metrics, stop.is_set).run()
    except Stopped:
        say("stopped; the place is saved", "warning")
        return STOPPED
    finally:
        metrics.tell()
    problems = [report.problem for report in reports if report.problem]
    say("ends", movies=len(reports), at_fault=len(problems), frames=sum(report.frames for report in reports))
    return errors.EXIT_CODE if problems else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="inference-worker", description="Movies in S3 to predictions.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    run = commands.add_parser("run", help="one shard of a batch")
    for name, variable in OPTIONS.items():
        run.add_argument(f"--{name}", dest=variable, metavar="", help=f"{HELP[name]} ({variable})")
    for command in (run, *warm_commands.add(commands)):
        command.add_argument("--laptop", action="store_true", help="take what AWS's SDK finds, not only a web identity")
    return parser.parse_args(arguments)


def _given(options: argparse.Namespace) -> dict[str, str]:
    return {name: value for name, value in vars(options).items() if name in OPTIONS.values() and value is not None}


def ends() -> None:
    """The process ends now: threads that still download, and whom nobody waits for, would hold it up."""
    code = main()
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    ends()
