"""The manifest of a version: a line for every file of the source, with what it is and what became of it.

``manifest/part-*.jsonl.gz``, JSON Lines ordered by name. Release 0.1 wrote one ``manifest.jsonl`` with fewer keys.
"""

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NotRequired, TypedDict

from image_classifier.aws import s3 as storage
from image_classifier.contracts.errors import DatasetError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

FOLDER: Final = "manifest/"
LINES_OF_A_PART: Final = 20_000
OF_RELEASE_0_1: Final = "manifest.jsonl"

Line = TypedDict(
    "Line",
    {
        "name": str,  # of the file, below the source
        "class": str,
        "stamp": NotRequired[str],  # size and time of change, or ETag; absent if the source gives none
        "split": NotRequired[str],  # absent if the image is in no split
        "key": NotRequired[str],  # of the prepared image; absent if the version does not use it
        "sha256": NotRequired[str],  # of the file
        "width": NotRequired[int],  # of the source, upright, in pixels
        "height": NotRequired[int],
        "group": NotRequired[str],  # of near-duplicates: the sha256 of its first image
        "statistics": NotRequired[dict[str, Any]],  # see `prepare.statistics.Statistics`
        "traits": NotRequired[list[str]],  # what the prepared copy has no longer; see `prepare.report.schema.TRAITS`
        "look": NotRequired[str],  # of `prepare.near_duplicates.Look.dumps`
        "file": NotRequired[str],  # name of the prepared image, whether it is used or not
        "revision": NotRequired[str],
        "left_out": NotRequired[str],  # duplicate, leak, conflict or near_test
        "same_as": NotRequired[str],  # the name of the image because of which it is left out
        "rejected": NotRequired[str],  # code
        "reason": NotRequired[str],  # of the rejection, a sentence
    },
)


def parts(lines: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, bytes]]:
    """The names below the version's prefix and the bytes of the manifest's parts; no line makes one empty part."""
    rest, number = iter(lines), 0
    while (part := list(islice(rest, LINES_OF_A_PART))) or not number:
        text = "".join(json.dumps(line) + "\n" for line in part)
        yield f"{FOLDER}part-{number:05}.jsonl.gz", gzip.compress(text.encode(), compresslevel=6, mtime=0)
        number += 1


def read_manifest(s3: "S3Client", *, bucket: str, version: str) -> Iterator[Line]:
    """The lines of a version's manifest, also of one that release 0.1 wrote.

    Args:
        s3: the client.
        bucket: where the data set is.
        version: the version's prefix.

    Raises:
        DatasetError: the version has no manifest.

    """
    keys = sorted(storage.list_objects(s3, bucket=bucket, prefix=version + FOLDER)) or [version + OF_RELEASE_0_1]
    for key in keys:
        found = storage.read(s3, bucket=bucket, key=key)
        if found is None:
            raise DatasetError(f"s3://{bucket}/{key} is absent: prepare the data set again.")
        text = gzip.decompress(found[0]) if key.endswith(".gz") else found[0]
        yield from (json.loads(line) for line in text.decode().splitlines())
