"""Where prepared images are put: in a bucket, or nowhere when a data set is only planned or inspected."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from image_classifier.aws import s3 as storage
from image_classifier.contracts.pixels import Prepared

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@dataclass(frozen=True)
class BucketStore:
    """A bucket."""

    s3: "S3Client"
    bucket: str

    def put(self, key: str, prepared: Prepared) -> None:
        content_type = "image/png" if key.endswith(".png") else "image/jpeg"
        storage.write(self.s3, bucket=self.bucket, key=key, body=prepared.jpeg, content_type=content_type)

    def copy(self, key: str, *, to: str) -> None:
        with storage.naming(self.bucket, to, doing="write"):
            self.s3.copy_object(Bucket=self.bucket, Key=to, CopySource={"Bucket": self.bucket, "Key": key})


class NoStore:
    """Keeps nothing."""

    def put(self, key: str, prepared: Prepared) -> None:
        pass

    def copy(self, key: str, *, to: str) -> None:
        pass
