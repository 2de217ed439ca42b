"""Makes the content of the pipes of a channel: one epoch after the other, as SageMaker reads it from S3 in Pipe mode.

`S3Prefix`: the objects in the order of their keys, one after the other; with `RecordWrapperType` RecordIO each of them
is a record. `AugmentedManifestFile`: for each line of the manifest its `AttributeNames`, in the request's order; a name
that ends in `-ref` is replaced by the object at that S3 URI, any other for its value as text, a string without its
quotation marks, anything else as JSON.
"""

from __future__ import annotations

import io
import json
import random
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError

from local_aws.sagemaker.aws import DOWNLOAD_THREADS, S3Object, split_s3_uri
from local_aws.sagemaker.jobs.downloads import DataError, share
from local_aws.sagemaker.protocol.errors import ServiceError
from local_aws.sagemaker.training.recordio import framed

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

    from local_aws.sagemaker.aws import Aws
    from local_aws.sagemaker.documents import Document
    from local_aws.sagemaker.jobs.downloads import ObjectCache, Part

CHUNK_BYTES = 1024 * 1024
READ_AHEAD = 2 * DOWNLOAD_THREADS
REFERENCE = "-ref"
Unit = TypeVar("Unit")


class Stream:
    """The content of one channel for one host, as often as it is read."""

    def __init__(self, channel: Document, *, part: Part, aws: Aws, cache: ObjectCache) -> None:
        """Read nothing yet."""
        self._source = channel["DataSource"]["S3DataSource"]
        self._wrap = framed if channel.get("RecordWrapperType") == "RecordIO" else bytes
        self._seed = channel.get("ShuffleConfig", {}).get("Seed")
        self._part = part
        self._aws = aws
        self._cache = cache

    def epoch(self, number: int) -> Generator[bytes]:
        """Yield the bytes of one epoch; with ShuffleConfig each epoch has its own order.

        Raises:
            DataError: S3 does not have what the channel names.

        """
        if self._source["S3DataType"] == "AugmentedManifestFile":
            pieces = self._attributes(self._ordered(self._manifest(), number))
        else:
            pieces = self._objects(self._ordered(self._listing(), number))
        yield from pieces

    def _ordered(self, units: list[Unit], epoch: int) -> list[Unit]:
        if self._seed is not None:
            random.Random(f"{self._seed} {epoch}").shuffle(units)  # noqa: S311  # an order, not a secret
        return share(units, part=self._part)

    def _listing(self) -> list[S3Object]:
        items = [item for item in self._aws.objects(self._source["S3Uri"]) if not item.key.endswith("/")]
        if not items:
            raise DataError(f'ClientError: Data download failed:No S3 objects found under "{self._source["S3Uri"]}"')
        return items

    def _objects(self, items: Iterable[S3Object]) -> Iterator[bytes]:
        for item in items:
            kept = self._cache.kept(item)
            if self._wrap is framed:
                yield _framed(kept.read_bytes(), uri=f"s3://{item.bucket}/{item.key}")
                continue
            with kept.open("rb") as content:
                while chunk := content.read(CHUNK_BYTES):
                    yield chunk

    def _manifest(self) -> list[tuple[int, str]]:
        """Return the lines that are not empty, with their numbers."""
        text = self._content(self._source["S3Uri"]).decode("utf-8", errors="replace")
        return [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]

    def _attributes(self, lines: Sequence[tuple[int, str]]) -> Iterator[bytes]:
        names = self._source["AttributeNames"]
        makers = (self._maker(number, line, name) for number, line in lines for name in names)
        for uri, content in _ahead(makers):
            yield _framed(content, uri=uri) if self._wrap is framed else content

    def _maker(self, number: int, line: str, name: str) -> Callable[[], tuple[str, bytes]]:
        return lambda: self._attribute(number, line, name)

    def _attribute(self, number: int, line: str, name: str) -> tuple[str, bytes]:
        """Return the content of one attribute of a line, and its place."""
        where = f"line {number} of {self._source['S3Uri']}"
        try:
            value = json.loads(line)[name]
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"ClientError: Data download failed:{where} has no attribute {name!r}") from error
        if not name.endswith(REFERENCE):
            return where, (value if isinstance(value, str) else json.dumps(value)).encode()
        return str(value), self._content(str(value), named_by=where)

    def _content(self, uri: str, *, named_by: str = "the request") -> bytes:
        content = io.BytesIO()
        try:
            bucket, key = split_s3_uri(uri)
            self._aws.fetch(S3Object(bucket, key, "", 0), to=content)
        except (ClientError, ServiceError) as error:
            raise DataError(f"ClientError: Data download failed:{uri}, which {named_by} names: {error}") from error
        return content.getvalue()


def _framed(content: bytes, *, uri: str) -> bytes:
    try:
        return framed(content)
    except ValueError as error:
        raise DataError(f"ClientError: Data download failed:{uri}: {error}") from error


def _ahead(makers: Iterable[Callable[[], tuple[str, bytes]]]) -> Iterator[tuple[str, bytes]]:
    """Yield each value in order, while the next ones are being made."""
    pool = ThreadPoolExecutor(DOWNLOAD_THREADS)
    try:
        waiting = deque[Future[tuple[str, bytes]]]()
        for make in makers:
            waiting.append(pool.submit(make))
            if len(waiting) >= READ_AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
