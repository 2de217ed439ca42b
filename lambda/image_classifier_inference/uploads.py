"""Reads one upload from an S3 event, and downloads the object version that the event names."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from botocore.exceptions import ClientError

from image_classifier.contracts.errors import PredictionError
from image_classifier.contracts.predictions import Image

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

CREATED = "ObjectCreated:"
# MethodNotAllowed: the version is a delete marker. PreconditionFailed: another upload has replaced this one.
GONE = {"NoSuchKey", "NoSuchVersion", "MethodNotAllowed", "PreconditionFailed", "412"}


@dataclass(frozen=True)
class Upload:
    """One created object, as the event describes it.

    Attributes:
        image: the object.
        uploaded: ISO 8601, UTC.
        generation: see `image_classifier.contracts.predictions.Prediction`; 0 in S3's own events.

    """

    image: Image
    uploaded: str
    generation: int = 0

    @property
    def is_folder(self) -> bool:
        """Return whether this is the empty object that consoles and sync tools create for a folder."""
        return self.image.key.endswith("/") and self.image.bytes == 0


def read_upload(record: Mapping[str, Any]) -> Upload:
    """Read one record of an event.

    S3 URL-encodes keys in events, as forms do: ``my+cat%2B(1).jpg`` is the object ``my cat+(1).jpg``. The version id is
    absent if the bucket has no versioning, the sequencer if the server sends none.

    Raises:
        PredictionError: the record is not an S3 record.

    """
    try:
        bucket, found = record["s3"]["bucket"]["name"], record["s3"]["object"]
        if not isinstance(bucket, str):
            raise TypeError(f"the bucket's name is {bucket!r}")
        image = Image(
            bucket=bucket,
            key=unquote_plus(found["key"]),
            version_id=_text_or_none(found, "versionId"),
            etag=_header_or_none(found, "eTag"),
            bytes=int(found["size"]),
            sequencer=_text_or_none(found, "sequencer"),
        )
        image.key.encode()  # the same of the key
        return Upload(image, uploaded=_with_offset(record["eventTime"]), generation=int(record.get("generation", 0)))
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise PredictionError(f"The event's record is not one of an S3 upload: {error!r} in {list(record)}") from error


def _text_or_none(found: Mapping[str, Any], name: str) -> str | None:
    value = found.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError(f"{name} is {value!r}")
    value.encode()  # raises for half of a surrogate pair, which no record can hold
    return value


def _header_or_none(found: Mapping[str, Any], name: str) -> str | None:
    """Return a text that is sent as an HTTP header; http.client raises ValueError for one with a line break."""
    value = _text_or_none(found, name)
    if value and not (value.isascii() and value.isprintable()):
        raise ValueError(f"{name} is {value!r}")
    return value


def _with_offset(iso_time: str) -> str:
    if datetime.fromisoformat(iso_time).tzinfo is None:
        raise ValueError(f"eventTime {iso_time} does not say its offset from UTC")
    return iso_time


def is_another_event(record: Mapping[str, Any]) -> bool:
    """Return whether the record is of another event than an upload, such as a deletion, which has no size."""
    return not str(record.get("eventName", CREATED)).startswith(CREATED)


def reason_to_skip(upload: Upload, *, incoming_prefix: str) -> str | None:
    """Return why an upload is skipped, or None if it is to be classified."""
    if not upload.image.key.startswith(incoming_prefix):
        return f"not below {incoming_prefix}"
    return "a folder" if upload.is_folder else None


def download(s3: "S3Client", image: Image) -> bytes | None:
    """Return the bytes of the version that the event names, or None if it has been deleted or overwritten."""
    try:
        return s3.get_object(**image.object_request())["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in GONE:
            return None
        raise
