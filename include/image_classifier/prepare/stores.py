"""Where prepared images are put: in a bucket, or nowhere when a data set is only planned or inspected."""

from dataclasses import dataclass
from threading import Lock
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


class StoredKeys:
    """The keys in a bucket, listed folder by folder as they are asked for; each folder once.

    Args:
        s3: the client.
        bucket: the bucket.

    """

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        """List nothing yet."""
        self._s3, self._bucket = s3, bucket
        self._lock = Lock()
        self._names: dict[str, frozenset[str]] = {}  # folder: names of the objects in it

    def __contains__(self, key: object) -> bool:
        """Whether the bucket had the object when its folder was listed; an empty object does not count."""
        folder, _, name = str(key).rpartition("/")
        with self._lock:
            if folder not in self._names:
                self._names[folder] = self._listed(f"{folder}/")
        return name in self._names[folder]

    def _listed(self, prefix: str) -> frozenset[str]:
        found = storage.list_objects(self._s3, bucket=self._bucket, prefix=prefix)
        return frozenset(key.removeprefix(prefix) for key, stored in found.items() if stored.size_bytes)


class NoStore:
    """Keeps nothing."""

    def put(self, key: str, prepared: Prepared) -> None:
        pass

    def copy(self, key: str, *, to: str) -> None:
        pass
