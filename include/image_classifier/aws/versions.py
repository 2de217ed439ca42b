"""Lists and deletes all versions of single S3 objects."""

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from image_classifier.aws.s3 import DELETED_AT_ONCE, naming
from image_classifier.contracts.errors import ResourceBusyError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import ObjectIdentifierTypeDef


class Version(NamedTuple):
    """A version of an object, or a delete marker; without versioning an object has one with the id "null"."""

    key: str
    version_id: str
    is_latest: bool
    is_marker: bool

    @property
    def identifier(self) -> tuple[str, str]:
        """Return the key and the version id."""
        return self.key, self.version_id


def versions_of(s3: "S3Client", *, bucket: str, key: str) -> list[Version]:
    """Return every version and delete marker of one key.

    Raises:
        StorageError: S3 does not answer as it should at present.
        DatasetError: S3 refuses.

    """
    with naming(bucket, key, doing="list the versions of"):
        pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key)
        return [
            Version(found["Key"], found["VersionId"], found["IsLatest"], is_marker)
            for page in pages
            for is_marker, listed in ((False, page.get("Versions", [])), (True, page.get("DeleteMarkers", [])))
            for found in listed
            if found["Key"] == key
        ]


def delete_versions(s3: "S3Client", versions: "Iterable[tuple[str, str]]", *, bucket: str) -> int:
    """Delete versions and delete markers, given as (key, version id); return their number. Absent ones are no error.

    Raises:
        ResourceBusyError: S3 did not delete all; call it again.
        StorageError: S3 does not answer as it should at present.
        DatasetError: S3 refuses.

    """
    waiting, deleted = iter(versions), 0
    while batch := list(islice(waiting, DELETED_AT_ONCE)):
        objects: list[ObjectIdentifierTypeDef] = [{"Key": key, "VersionId": version_id} for key, version_id in batch]
        with naming(bucket, batch[0][0], doing="delete"):
            answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
        if errors := answer.get("Errors"):
            message = (
                f"S3 did not delete {len(errors)} object versions of s3://{bucket}, such as {errors[0].get('Key')}: "
                f"{errors[0].get('Message')}. Try again."
            )
            raise ResourceBusyError(message)
        deleted += len(batch)
    return deleted
