"""Reads and writes the object that names the newest version of a data set, and what that was made from."""

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

from image_classifier.aws import s3 as storage
from image_classifier.aws.names import Keys

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

NAME = "current.json"  # below dataset/
SCHEMA = 1


@dataclass(frozen=True)
class Pointer:
    """What current.json holds.

    Attributes:
        fingerprint: of the newest version.
        origin: of what it was made, as `unchanged.origin_of` returns it; empty if that cannot be relied on, or an
            earlier release wrote the object. Then the other attributes are empty, too.
        documents: of the version in S3, as `unchanged.documents_of` returns it.
        images: how many the source has.
        result: the keys of `prepared.PreparedDataset`, of a run that finds nothing new.

    """

    fingerprint: str
    origin: str = ""
    documents: str = ""
    images: int = 0
    result: dict[str, Any] = field(default_factory=dict)

    def dumps(self) -> bytes:
        """Return the bytes of current.json."""
        given = {name: value for name, value in asdict(self).items() if value}
        return json.dumps({"schema": SCHEMA, **given}).encode()

    @classmethod
    def read(cls, s3: "S3Client", *, bucket: str, keys: Keys) -> Self | None:
        """Read current.json; None if there is none, as in a bucket of release 0.1."""
        found = storage.read(s3, bucket=bucket, key=keys.dataset + NAME)
        if found is None:
            return None
        document = json.loads(found[0])
        return cls(**{name: document[name] for name in cls.__dataclass_fields__ if name in document})

    def write(self, s3: "S3Client", *, bucket: str, keys: Keys) -> None:
        """Write current.json; it replaces the one that is there."""
        body = self.dumps()
        storage.write(s3, bucket=bucket, key=keys.dataset + NAME, body=body, content_type="application/json")
