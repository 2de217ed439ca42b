"""Reads and writes the manifest of a version: one line for every file of the source, with facts and use.

``manifest/part-*.jsonl.gz``, JSON Lines ordered by name. Release 0.1 wrote one ``manifest.jsonl`` with fewer keys.
"""

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NotRequired, TypedDict

from image_classifier.aws import s3 as storage
from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.inspection.inspector import Facts, Inspected, Rejected
from image_classifier.prepare.inspection.near_duplicates import Look
from image_classifier.prepare.inspection.statistics import Statistics

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

FOLDER: Final = "manifest/"
LINES_OF_A_PART: Final = 20_000
OF_RELEASE_0_1: Final = "manifest.jsonl"

Line = TypedDict(
    "Line",
    {
        "name": str,  # path of the file below the source
        "class": str,
        "stamp": NotRequired[str],  # size and time of change, or ETag; absent if the source gives none
        "split": NotRequired[str],  # absent if the image has no split
        "key": NotRequired[str],  # S3 key of the prepared image; absent if the version does not use it
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


def line_of(one: Inspected | Rejected) -> dict[str, Any]:
    """Return the inspection's result for a file, with the keys of `Line`."""
    given = {"name": one.image.name, "class": one.image.class_name}
    stamp = {"stamp": one.image.stamp} if one.image.stamp else {}
    if isinstance(one, Rejected):
        return {**given, **stamp, "rejected": one.code, "reason": one.reason}
    facts = one.facts
    look = {"look": facts.look.dumps()} if facts.look else {}
    return {
        **given,
        "sha256": facts.sha256,
        "width": facts.width,
        "height": facts.height,
        "file": facts.file_name,
        "statistics": facts.statistics.as_json(),
        "traits": list(facts.traits),
        **stamp,
        **look,
        **({"revision": facts.revision} if facts.revision else {}),
    }


def facts_of(line: Mapping[str, Any]) -> Facts:
    """Return the facts of a line that has ``statistics``."""
    look = line.get("look")
    return Facts(
        sha256=line["sha256"],
        width=line["width"],
        height=line["height"],
        statistics=Statistics.from_json(line["statistics"]),
        traits=tuple(line["traits"]),
        look=Look.loads(look) if look else None,
        file_name=line["file"],
        revision=line.get("revision", ""),
    )


def packed(lines: Iterable[Mapping[str, Any]]) -> bytes:
    """Return the lines as gzipped JSON Lines; equal lines give equal bytes."""
    return _compressed(map(json.dumps, lines))


def _compressed(lines: Iterable[str]) -> bytes:
    return gzip.compress("".join(f"{line}\n" for line in lines).encode(), compresslevel=6, mtime=0)


def unpacked(data: bytes) -> Iterator[dict[str, Any]]:
    """Parse the result of `packed`."""
    return map(json.loads, gzip.decompress(data).splitlines())


def parts(lines: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, bytes]]:
    """Yield (name below the version's prefix, bytes) of the manifest's parts; without lines one empty part."""
    rest, number = map(json.dumps, lines), 0  # texts need a fifth of the memory
    while (part := list(islice(rest, LINES_OF_A_PART))) or not number:
        yield f"{FOLDER}part-{number:05}.jsonl.gz", _compressed(part)
        number += 1


def read_manifest(s3: "S3Client", *, bucket: str, version: str) -> Iterator[Line]:
    """Yield the lines of a version's manifest, also of one from release 0.1.

    Args:
        s3: the S3 client.
        bucket: the bucket of the data set.
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
