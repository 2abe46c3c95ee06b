"""The AI test environment: movies under a prefix are sampled, a model is asked, what it says is written and summed up.

How many movies are worked on at a time is chosen on the screen: `plan` spreads them over so many shards, and the loop
goes over the shards. A loop's own limit is fixed when a pipeline is compiled.
"""

from typing import List  # noqa: UP035 (kfp reads the types of components, and knows these)

from kfp import dsl
from kfp.dsl import HTML, Dataset, Input, Metrics, Output

from movie_pipelines.placement import BUCKET, component, on_gpus, on_workers

RETRIES = 3
"""Of what works on movies. A movie at fault is data and fails no task, so what fails is worth another attempt."""


@component
def plan(
    bucket: str, prefix: str, model: str, output: str, run: str, parallelism: int, plan: Output[Dataset]
) -> List[int]:  # noqa: UP006
    """Finds the movies and spreads them over shards; fails at once where there is no movie or no model."""
    from inference_worker.tasks import plan as make

    return make(plan.path, bucket, prefix, model, output, run, parallelism)


@component
def preprocess(shard: int, plan: Input[Dataset], frames_per_second: float, frame_width: int, frames: Output[Dataset]):
    """Decodes and samples the movies of a shard."""
    from inference_worker.tasks import preprocess as work

    work(plan.path, shard, frames_per_second, frame_width, frames.path)


@component
def predict(plan: Input[Dataset], frames: Input[Dataset], device: str, predictions: Output[Dataset]):
    """Asks the model about every frame of a shard."""
    from inference_worker.tasks import predict as work

    work(plan.path, frames.path, device, predictions.path)


@component
def write(shard: int, plan: Input[Dataset], frames: Input[Dataset], predictions: Input[Dataset]):
    """Writes JSON lines and an annotated contact sheet for each movie of a shard to S3."""
    from inference_worker.tasks import write as work

    work(plan.path, shard, frames.path, predictions.path)


@component
def verdict(bucket: str, output: str, run: str):
    """Fails where a movie failed, after all others are done: nobody should have to look for it."""
    from inference_worker.tasks import verdict as say

    say(bucket, output, run)


@component
def summarize(bucket: str, output: str, run: str, metrics: Output[Metrics], summary: Output[HTML]):
    """Sums up all movies, whatever became of them: metrics, and a page that shows failures first."""
    from inference_worker.tasks import summarize as work

    for name, value in work(bucket, output, run, summary.path).items():
        metrics.log_metric(name, value)


def _written(shard, plan, frames, said: dsl.PipelineTask) -> None:
    predictions = said.outputs["predictions"]
    on_workers(write(shard=shard, plan=plan, frames=frames, predictions=predictions), memory="4Gi", retries=RETRIES)


@dsl.pipeline
def shards(plan: Input[Dataset], shards: List[int], frames_per_second: float, frame_width: int, gpu: bool):  # noqa: UP006
    """Each shard on its own: preprocess, predict on CPU or GPU, write."""
    with dsl.ParallelFor(shards) as shard:
        sampled = on_workers(
            preprocess(shard=shard, plan=plan, frames_per_second=frames_per_second, frame_width=frame_width),
            cpus="2",
            memory="4Gi",
            retries=RETRIES,
        )
        frames = sampled.outputs["frames"]
        # Each way ends with a task of its own that writes: kfp's local runner cannot join ways that hand on artifacts.
        with dsl.If(gpu == True):  # noqa: E712 (kfp makes a condition of it)
            said = on_gpus(predict(plan=plan, frames=frames, device="cuda"), retries=RETRIES)
            _written(shard, plan, frames, said)
        with dsl.Else():
            said = on_workers(predict(plan=plan, frames=frames, device="cpu"), cpus="4", memory="8Gi", retries=RETRIES)
            _written(shard, plan, frames, said)


@dsl.pipeline(name="movies", description="Movies in S3: preprocess, predict, write, and a summary across all")
def movies(
    bucket: str = BUCKET,
    prefix: str = "movies/",
    model: str = "models/movies.onnx",
    output: str = "results/pipelines/",
    frames_per_second: float = 1.0,
    frame_width: int = 640,
    parallelism: int = 8,
    gpu: bool = False,
):
    """Asks a model about the movies under a prefix.

    Args:
        bucket: S3 bucket of movies, model and results.
        prefix: Where the movies lie.
        model: Key of the ONNX model.
        output: Where results go, below a folder of the run's own.
        frames_per_second: How many frames of each second the model sees.
        frame_width: Width in pixels to which frames are scaled down; 0 leaves them as they are.
        parallelism: Movies at a time.
        gpu: Predict on GPUs.
    """
    run = dsl.PIPELINE_JOB_ID_PLACEHOLDER
    summary = on_workers(summarize(bucket=bucket, output=output, run=run))
    with dsl.ExitHandler(summary, name="look at movies"):
        planned = on_workers(
            plan(bucket=bucket, prefix=prefix, model=model, output=output, run=run, parallelism=parallelism),
            memory="8Gi",
        )
        done = shards(
            plan=planned.outputs["plan"],
            shards=planned.outputs["Output"],
            frames_per_second=frames_per_second,
            frame_width=frame_width,
            gpu=gpu,
        )
        on_workers(verdict(bucket=bucket, output=output, run=run)).after(done)
