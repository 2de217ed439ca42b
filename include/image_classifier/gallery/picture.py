"""Reads objects up to a size, and recognises by their first bytes the formats that the pages send to a browser."""

import hashlib
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import code_of
from image_classifier.aws.s3 import ABSENT, naming

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from types_boto3_s3 import S3Client

LARGEST_PICTURE_BYTES = 20_000_000
PIECE_BYTES = 262_144
GONE = (*ABSENT, "MethodNotAllowed", "NoSuchVersion")


def picture_type(content: bytes) -> str | None:
    """Return the media type of a JPEG, PNG, GIF or WebP file; None for others, such as SVG, which can run scripts."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return None


def read_up_to(
    s3: "S3Client", *, bucket: str, key: str, most_bytes: int, version_id: str | None = None
) -> bytes | None:
    """Return an object's bytes; None if it does not exist, or if it is larger than `most_bytes` and so is not read.

    Without `version_id` they are those of the current version.
    """
    with naming(bucket, key, doing="read"):
        body = _opened(s3, bucket=bucket, key=key, most_bytes=most_bytes, version_id=version_id)
        return body.read() if body else None


def picture_sha256(
    s3: "S3Client", *, bucket: str, key: str, most_bytes: int, version_id: str | None = None
) -> str | None:
    """Return the SHA-256 of what `read_up_to` returns, of which only a piece is in memory; None as there."""
    digest = hashlib.sha256()
    with naming(bucket, key, doing="read"):
        body = _opened(s3, bucket=bucket, key=key, most_bytes=most_bytes, version_id=version_id)
        if body is None:
            return None
        for piece in body.iter_chunks(PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _opened(
    s3: "S3Client", *, bucket: str, key: str, most_bytes: int, version_id: str | None
) -> "StreamingBody | None":
    version: dict[str, Any] = {"VersionId": version_id} if version_id else {}
    try:
        answer = s3.get_object(Bucket=bucket, Key=key, **version)
    except ClientError as error:
        if code_of(error) in GONE:
            return None
        raise
    if answer["ContentLength"] > most_bytes:
        answer["Body"].close()
        return None
    return answer["Body"]
