"""The bucket: movies and a model come from it, results go to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from inference_worker.errors import BadInput

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

MOVIE_SUFFIXES = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpg", ".ts", ".webm")
ATTEMPTS = 10
"""Of one call. Adaptive: botocore also slows itself down when S3 throttles, as it does when hundreds start at once."""
IO_QUEUE = 32
"""Chunks of 256 KiB that wait for the disk, a file. By default boto3 lets 1,000 wait, and S3 is faster than a disk."""
GONE = ("404", "NoSuchBucket", "NoSuchKey", "NotFound")


@dataclass(frozen=True)
class Movie:
    """One movie by its key; `size` in bytes."""

    key: str
    size: int


@dataclass(frozen=True)
class Object:
    """An object; its ETag is another one whenever its content is. `size` in bytes."""

    key: str
    size: int
    etag: str


@dataclass(frozen=True)
class Store:
    """One S3 bucket."""

    bucket: str
    client: S3Client

    def url(self, key: str) -> str:
        """`s3://bucket/key`."""
        return f"s3://{self.bucket}/{key}"

    def movies(self, prefix: str) -> list[Movie]:
        """The movies below a prefix, sorted by key. Raises BadInput where there is none, or no bucket."""
        from botocore.exceptions import ClientError

        try:
            found = list(self.objects(prefix))
        except ClientError as error:
            raise self._told(error, prefix) or error from None
        movies = [Movie(each.key, each.size) for each in found if _suffix(each.key) in MOVIE_SUFFIXES]
        if not movies:
            others = f"{len(found)} objects, none of them a movie" if found else "nothing"
            raise BadInput(self.url(prefix), f"there is {others} below this prefix", f"movies end in {_suffixes()}")
        return sorted(movies, key=lambda movie: movie.key)

    def keys(self, prefix: str) -> list[str]:
        """Keys of all objects below a prefix, sorted."""
        return sorted(each.key for each in self.objects(prefix))

    def objects(self, prefix: str) -> Iterator[Object]:
        """All objects below a prefix, or whose keys begin so."""
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
            for each in page.get("Contents", []):
                yield Object(each["Key"], each["Size"], each["ETag"])

    def etag(self, key: str) -> str:
        """An object's ETag. Raises BadInput where there is no such object."""
        from botocore.exceptions import ClientError

        try:
            return self.client.head_object(Bucket=self.bucket, Key=key)["ETag"]
        except ClientError as error:
            raise self._told(error, key) or error from None

    def download(self, key: str, file: Path) -> None:
        """Fetches an object. Raises BadInput where there is no such object."""
        from boto3.s3.transfer import TransferConfig
        from botocore.exceptions import ClientError

        try:
            self.client.download_file(self.bucket, key, str(file), Config=TransferConfig(max_io_queue=IO_QUEUE))
        except ClientError as error:
            raise self._told(error, key) or error from None

    def read(self, key: str) -> bytes:
        """An object's bytes. Raises BadInput where there is no such object."""
        from botocore.exceptions import ClientError

        try:
            return self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            raise self._told(error, key) or error from None

    def put(self, key: str, body: bytes, content_type: str) -> str:
        """Writes an object, and says its URL."""
        self.client.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType=content_type)
        return self.url(key)

    def find(self, key: str, digest: str = "") -> bytes | None:
        """An object's bytes; None where there is none. Raises BadInput where it was put with another digest."""
        from botocore.exceptions import ClientError

        try:
            found = self.client.get_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if _code(error) in GONE and _code(error) != "NoSuchBucket":
                return None
            raise self._told(error, key) or error from None
        if found["Metadata"].get("digest", "") != digest:
            raise BadInput(self.url(key), "was written with other settings", "choose another output")
        return found["Body"].read()

    def put_once(self, key: str, body: bytes, content_type: str, digest: str = "") -> str:
        """Writes an object unless it is there, and says its URL. Raises BadInput where it has another digest."""
        from botocore.exceptions import ClientError

        metadata = {"digest": digest} if digest else {}
        for attempt in range(ATTEMPTS):
            try:
                self.client.put_object(
                    Bucket=self.bucket,
                    Key=key,
                    Body=body,
                    ContentType=content_type,
                    Metadata=metadata,
                    IfNoneMatch="*",
                )
            except ClientError as error:
                # The first is another's, or our own from an attempt whose answer was lost. The second: at this moment.
                if _code(error) == "PreconditionFailed":
                    self.find(key, digest)
                    break
                if _code(error) != "ConditionalRequestConflict" or attempt == ATTEMPTS - 1:
                    raise self._told(error, key) or error from None
                continue
            break
        return self.url(key)

    def _told(self, error: Exception, key: str) -> BadInput | None:
        code = _code(error)
        if code not in GONE:
            return None
        what = "bucket" if code == "NoSuchBucket" else "object"
        return BadInput(self.url(key), f"there is no such {what}", "check the bucket and the spelling")


def connect(bucket: str) -> Store:
    """The bucket, by whatever identity the environment holds; in a cluster, that of the pod's ServiceAccount."""
    import boto3
    from botocore.config import Config

    return Store(
        bucket, boto3.client("s3", config=Config(retries={"mode": "adaptive", "total_max_attempts": ATTEMPTS}))
    )


def shards(movies: Iterable[Movie], count: int) -> list[list[Movie]]:
    """The movies in at most `count` shards of about equal bytes, none empty. The same input gives the same shards."""
    if count < 1:
        raise BadInput("parallelism", f"`{count}` is less than 1")
    found: list[list[Movie]] = [[] for _ in range(count)]
    weights = [0] * count
    for movie in sorted(movies, key=lambda each: (-each.size, each.key)):
        lightest = min(range(count), key=lambda shard: (weights[shard], len(found[shard]), shard))
        found[lightest].append(movie)
        weights[lightest] += movie.size
    return [sorted(shard, key=lambda each: each.key) for shard in found if shard]


def _code(error: Exception) -> str:
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))


def _suffix(key: str) -> str:
    return PurePosixPath(key).suffix.lower()


def _suffixes() -> str:
    *most, last = MOVIE_SUFFIXES
    return f"{', '.join(most)} or {last}"
