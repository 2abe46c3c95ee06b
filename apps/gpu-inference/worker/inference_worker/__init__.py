"""Movies in S3 to predictions: list, decode and sample, ask a model, write what it says.

Each step is a module of its own, and knows nothing of who calls it: a batch Job, or a task of a pipeline.
"""
