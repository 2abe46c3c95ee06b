"""Where tasks run and how often they are tried, by the names that the fleet's node groups carry.

These names are the same on every cluster, so one compiled pipeline serves all. What differs by cluster stands for
itself until `fleet pipelines` sends a pipeline to one: the image, and the bucket.
"""

from kfp import dsl, kubernetes

from generators.model import labels

IMAGE, CUDA_IMAGE = labels.ANY_WORKER_IMAGE, labels.ANY_CUDA_IMAGE
BUCKET = labels.ANY_BUCKET
GPU = "nvidia.com/gpu"
LONGEST_SECONDS = 12 * 3600
"""After this a task is given up: one that hangs must not hold a node for ever."""


def component(function):
    """A component that runs in the worker's image, which has all that it imports: a pod installs nothing."""
    return dsl.component(function, base_image=IMAGE, install_kfp_package=False)


def on_workers(task: dsl.PipelineTask, cpus: str = "1", memory: str = "2Gi", retries: int = 0) -> dsl.PipelineTask:
    """Runs the task on the worker node groups; `retries` as in `_placed`."""
    kubernetes.add_node_selector(task, labels.ROLE_LABEL, "worker")
    return _placed(task, cpus, memory, retries)


def on_gpus(task: dsl.PipelineTask, cpus: str = "2", memory: str = "8Gi", retries: int = 0) -> dsl.PipelineTask:
    """Runs the task with one whole GPU, on node groups whose GPUs are for whoever asks (`gpu: {mode: job}`)."""
    kubernetes.add_node_selector(task, labels.ROLE_LABEL, "gpu")
    kubernetes.add_node_selector(task, labels.GPU_MODE_LABEL, "job")
    taint = labels.GPU_TAINT
    kubernetes.add_toleration(task, taint["key"], "Equal", taint["value"], taint["effect"])
    task.set_container_image(CUDA_IMAGE).set_accelerator_type(GPU).set_accelerator_limit(1)
    return _placed(task, cpus, memory, retries)


def _placed(task: dsl.PipelineTask, cpus: str, memory: str, retries: int) -> dsl.PipelineTask:
    """No CPU limit, so that idle cores are used; memory is what it may have, so that no neighbour is pushed out.

    Without `retries`, the cluster's own rule holds: again after a spot node went away, and never after another fault.
    """
    task.set_cpu_request(cpus).set_memory_request(memory).set_memory_limit(memory)
    # What lies under a prefix changes while the prefix does not.
    task.set_caching_options(False)
    kubernetes.set_timeout(task, LONGEST_SECONDS)
    if retries:
        task.set_retry(retries, backoff_duration="30s", backoff_factor=2.0, backoff_max_duration="600s")
    return task
