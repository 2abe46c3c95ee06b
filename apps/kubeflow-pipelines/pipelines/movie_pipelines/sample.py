"""The smallest pipeline: two Python functions in parallel pairs, preprocess and then process."""

from kfp import dsl

from movie_pipelines.placement import component, on_workers


@component
def preprocess(item: int, count: int) -> float:
    """Makes `count` numbers of an item, and says their mean."""
    numbers = [item + step / count for step in range(count)]
    return sum(numbers) / count


@component
def process(mean: float) -> str:
    """Says what came out."""
    return f"mean {mean:.3f}"


@dsl.pipeline(name="sample", description="Preprocess and process, in parallel: the first pipeline to read")
def sample(count: int = 1000):
    """Works on three items at a time.

    Args:
        count: Numbers to make of each item.
    """
    with dsl.ParallelFor([1, 2, 3, 4, 5, 6], parallelism=3) as item:
        prepared = on_workers(preprocess(item=item, count=count), cpus="100m", memory="256Mi")
        on_workers(process(mean=prepared.output), cpus="100m", memory="256Mi")
