"""Runs a pipeline on this machine: `python -m movie_pipelines.here NAME JSON`, as `fleet pipelines run --here` does.

Each task is a process of its own, S3 is whatever the environment's credentials reach, and nodes, retries on spot and
GPUs of a cluster are not here. Exit codes: 0 fine, 1 a task failed, 2 the call is wrong.
"""

import json
import sys
import tempfile
import warnings


def main() -> int:
    """The command."""
    name, parameters = sys.argv[1], json.loads(sys.argv[2])
    warnings.simplefilter("ignore")  # kfp tells of every setting that only a cluster knows
    from kfp import local

    from movie_pipelines.catalogue import PIPELINES

    (pipeline,) = [each for each in PIPELINES if each.name == name]
    outputs = tempfile.mkdtemp(prefix=f"{name}-")
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=outputs)
    try:
        pipeline(**parameters)
    except RuntimeError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    finally:
        sys.stderr.write(f"what tasks handed on lies in {outputs}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
