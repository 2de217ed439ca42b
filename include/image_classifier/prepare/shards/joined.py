"""Joins what the shards of a listing found out, in the order of the listing."""

from collections.abc import Iterator
from dataclasses import replace
from heapq import merge
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from image_classifier.aws import s3 as storage
from image_classifier.aws.names import Keys
from image_classifier.prepare import manifest
from image_classifier.prepare.inspection.inspector import Inspected, Rejected
from image_classifier.prepare.picked import Found
from image_classifier.prepare.preparation import Preparation, pixels_key, split_settings
from image_classifier.prepare.previous import Previous
from image_classifier.prepare.shards.header import Header
from image_classifier.prepare.shards.lines import read_image, read_result
from image_classifier.prepare.shards.listing import Listing, inspected_key, unchanged_prefix
from image_classifier.prepare.stores import StoredKeys, open_store

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

Result = tuple[int, Inspected | Rejected]  # an image's place in the listing, and what was found out about it


def joined(
    listing: Listing, *, s3: "S3Client", bucket: str, keys: Keys, data_folder: Path
) -> tuple[Preparation, Found]:
    """Return the preparation of a listing, and the results of all images.

    Raises:
        ObjectGoneError: the listing was deleted, or a shard has not been prepared.

    """
    head = Header.read(s3, bucket=bucket, keys=keys, run=listing.run)
    split, pixels = split_settings(head.classifier, head.layout), pixels_key(head.classifier)
    preparation = Preparation(
        head.classifier,
        head.source(s3, bucket=bucket, data_folder=data_folder),
        head.layout,
        open_store(s3, bucket),
        stored=StoredKeys(s3, bucket),
        previous=Previous.read_version(head.previous, s3=s3, bucket=bucket, keys=keys, split=split, pixels_key=pixels),
        only_train=head.only_train,
        origin=head.origin,
    )
    unchanged = _unchanged(preparation, run=listing.run, s3=s3, bucket=bucket)
    inspected = _inspected(listing, s3=s3, bucket=bucket, keys=keys)
    found = Found(one for _, one in merge(unchanged, inspected, key=itemgetter(0)))
    found.images.mark_copies()
    return replace(preparation, layout=replace(head.layout, images=found)), found


def _unchanged(preparation: Preparation, *, run: str, s3: "S3Client", bucket: str) -> Iterator[Result]:
    inspector = replace(preparation.inspector(known=preparation.previous), stored=_Everything())
    prefix = unchanged_prefix(keys=preparation.keys, run=run)
    for key in sorted(storage.list_objects(s3, bucket=bucket, prefix=prefix)):
        for line in manifest.unpacked(storage.read_written(s3, bucket=bucket, key=key)):
            if found := inspector.unread(read_image(line)):
                yield line["at"], found


def _inspected(listing: Listing, *, s3: "S3Client", bucket: str, keys: Keys) -> Iterator[Result]:
    for number in range(listing.shards):
        key = inspected_key(number, keys=keys, run=listing.run)
        for line in manifest.unpacked(storage.read_written(s3, bucket=bucket, key=key)):
            yield line["at"], read_result(line)


class _Everything:
    """The keys of the images that the listing found to be stored."""

    def __contains__(self, key: object) -> bool:
        """Return True: the other images are in a shard."""
        return True
