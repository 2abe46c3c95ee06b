"""Sets of models, each with a server of its own on GPU nodes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .base import Matching, Model, Name, S3Prefix

DEFAULT_SET = "default"
"""The set that is meant where a cluster file names none."""

Image = Annotated[str, Field(pattern=r"^[^\s:]+(/[^\s:]+)+:[^\s:]+$")]
ServedModel = Annotated[str, Matching(r"[A-Za-z0-9_.-]+", "a model's name", "resnet50")]
HttpPath = Annotated[str, Matching(r"/[^\s?#]*", "a path of a URL", "/v2/health/ready")]


class OwnServer(Model):
    """An image that is not Triton's. It speaks KServe's protocol, version 2, over HTTP, with binary tensors."""

    command: tuple[str, ...] = ()
    """Left out, the image's own."""
    port: Annotated[int, Field(ge=1024, le=65535)] = 8000
    """Where it listens for HTTP; what is below 1024 is root's."""
    ready_path: HttpPath = "/v2/health/ready"
    """Answers 200 once all models are loaded: so long, a quarter of an hour at most, nobody asks it."""
    live_path: HttpPath = "/v2/health/live"
    """Answers 200 while it is well; otherwise it is started again."""


class ModelServer(Model):
    """A set of models: on each node of its groups one server, which has its part of the GPUs."""

    node_groups: tuple[Name, ...] = ()
    """Node groups of mode `server`; left out, all of them."""
    models: tuple[ServedModel, ...] = ()
    """What the server loads and is not ready without; left out, all that the repository has."""
    model_repository: S3Prefix | None = None
    """Left out, that of the app."""
    image: Image | None = None
    """Left out, the app's `server_image`, Triton."""
    own: OwnServer | None = None
    """Says that `image` is not Triton, and how it is spoken to."""
    args: tuple[str, ...] = ()
    """Triton's own come first; for an image of one's own, these are all."""
    gpu_memory_mib: Annotated[int, Field(ge=1)] | None = None
    """What its models need of each GPU, or slice of one, that it gets; a group where that has less is refused."""

    @property
    def kind(self) -> Literal["triton", "own"]:
        """How the server is started and asked."""
        return "own" if self.own else "triton"
