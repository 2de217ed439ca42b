"""Reads labelled images below an S3 prefix; an object that changed after the listing is rejected."""

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, IncompleteReadError

from image_classifier.aws import s3 as storage
from image_classifier.aws.client_errors import code_of
from image_classifier.aws.names import Keys
from image_classifier.contracts.errors import DatasetError, ImageRejectedError, StorageError
from image_classifier.prepare.sources.source import File, Files

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

# Errors of a single object. Any other error affects all objects, and would silently drop images, so the run fails.
_ONE_OBJECT = ("NoSuchKey", "404", "AccessDenied", "403", "InvalidObjectState")
TRIES = 3


@dataclass(frozen=True)
class BucketSource:
    """The objects below a prefix."""

    s3: "S3Client"
    bucket: str
    prefix: str
    requester_pays: bool = False

    @property
    def where(self) -> str:
        return f"prefix s3://{self.bucket}/{self.prefix}"

    @property
    def extra(self) -> dict[str, Any]:
        """The arguments of every request that reads the source, besides bucket and key."""
        return {"RequestPayer": "requester"} if self.requester_pays else {}

    def check_apart_from(self, bucket: str, keys: Keys) -> None:
        """Check that a run does not train on objects that an earlier run has written.

        Raises:
            DatasetError: the source contains a prefix that the package writes to, or is in one.

        """
        if bucket != self.bucket:
            return
        for written in keys.written:
            if written.startswith(self.prefix) or self.prefix.startswith(written):
                message = (
                    f"Source s3://{self.bucket}/{self.prefix} and s3://{bucket}/{written}, which the package writes "
                    "to, hold the same objects: the next run would train on them. Move the images to a prefix of "
                    "their own, and correct `source` in the classifier file."
                )
                raise DatasetError(message)

    def files(self) -> Files:
        found = self.listing()
        if not found:
            message = (
                f"Source s3://{self.bucket}/{self.prefix} holds no object. Correct `source` in the classifier file."
            )
            raise DatasetError(message)
        return found

    def listing(self) -> Files:
        """Return the objects below the prefix."""
        found = storage.each_object(self.s3, bucket=self.bucket, prefix=self.prefix, extra=self.extra)
        files = (File(key.removeprefix(self.prefix), stored.etag.strip('"')) for key, stored in found)
        return Files(file for file in files if file.name)

    def read(self, name: str, *, limit_bytes: int, stamp: str = "") -> bytes:
        for _ in range(TRIES - 1):
            with contextlib.suppress(StorageError):  # botocore retries a request, but not an answer that breaks off
                return self._read(self.prefix + name, limit_bytes, stamp)
        return self._read(self.prefix + name, limit_bytes, stamp)

    def _read(self, key: str, limit_bytes: int, etag: str) -> bytes:
        condition: dict[str, Any] = {"IfMatch": f'"{etag}"'} if etag else {}
        with storage.naming(self.bucket, key, doing="read"):
            try:
                answer = self.s3.get_object(Bucket=self.bucket, Key=key, **self.extra, **condition)
                data = answer["Body"].read(limit_bytes)
            except ClientError as error:
                if (code := code_of(error)) in storage.CHANGED_MEANWHILE:
                    sentence = "The object was replaced after it had been listed; another run reads the new one."
                    raise ImageRejectedError("changed", sentence) from error
                if code not in _ONE_OBJECT:
                    raise
                raise ImageRejectedError("unreadable", f"S3 does not hand the object out: {code}.") from error
            # botocore compares the two itself, but only for requests of whole objects.
            if len(data) < (expected := min(limit_bytes, answer["ContentLength"])):
                raise IncompleteReadError(actual_bytes=len(data), expected_bytes=expected)
            return data
