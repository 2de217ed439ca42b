"""Stores which versions asset events have announced, so that an unchanged run starts no other Dag."""

import json
from typing import TYPE_CHECKING

from image_classifier.aws import s3 as storage
from image_classifier.aws.names import Keys

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def is_new(s3: "S3Client", *, bucket: str, classifier: str, kind: str, version: str) -> bool:
    """Return whether this version of the data set, model or endpoint (``kind``) differs from the last announced one."""
    return _announced(s3, bucket=bucket, classifier=classifier).get(kind) != version


def remember(s3: "S3Client", *, bucket: str, classifier: str, kind: str, version: str) -> None:
    """Store that this version was announced."""
    announced = {**_announced(s3, bucket=bucket, classifier=classifier), kind: version}
    body = json.dumps(announced, indent=1).encode()
    storage.write(s3, bucket=bucket, key=Keys(classifier).announced, body=body, content_type="application/json")


def _announced(s3: "S3Client", *, bucket: str, classifier: str) -> dict[str, str]:
    found = storage.read(s3, bucket=bucket, key=Keys(classifier).announced)
    return dict(json.loads(found[0])) if found else {}
