"""Reads the labels of the newest data set version, which the next one continues."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from image_classifier.aws import s3 as storage
from image_classifier.aws.names import Keys
from image_classifier.contracts.errors import DatasetError
from image_classifier.contracts.labels import labels_document, parse_labels

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

JSON: Final = "application/json"


@dataclass(frozen=True)
class KnownLabels:
    """The labels of the newest version, and the ETag of their object; every model has a copy of its labels."""

    labels: tuple[str, ...]
    etag: str | None

    @classmethod
    def read(cls, s3: "S3Client", *, bucket: str, keys: Keys) -> "KnownLabels":
        found = storage.read(s3, bucket=bucket, key=cls.key(keys))
        if found is None:
            return cls((), None)
        try:
            return cls(parse_labels(found[0]), found[1])
        except DatasetError as error:
            message = f"s3://{bucket}/{cls.key(keys)}: {error} Restore an earlier version of the object, or delete it."
            raise DatasetError(message) from error

    @staticmethod
    def key(keys: Keys) -> str:
        return f"{keys.dataset}labels.json"

    def replace(self, labels: tuple[str, ...], *, s3: "S3Client", bucket: str, keys: Keys) -> None:
        if labels != self.labels:
            document = labels_document(labels)
            storage.write_if_unchanged(
                s3, bucket=bucket, key=self.key(keys), body=document, content_type=JSON, etag=self.etag
            )
