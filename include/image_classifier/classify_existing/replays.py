"""Invokes the inference function again for an image, and writes a failed record if it never succeeds.

A replay is an event in S3's format with the object's present version, so the function handles it as an upload. The
function is invoked asynchronously: Lambda retries a failed event, then sends it to the failure queue.
"""

import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

from botocore.exceptions import ClientError

from image_classifier.aws.names import function_name
from image_classifier.classify_existing.records import ABSENT, Target, record_that_stays, store_record, write_log_entry
from image_classifier.connect.function_versions import ALIAS
from image_classifier.contracts import predictions
from image_classifier.contracts.predictions import Image, Times

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 3  # number of replays of one image; then it gets a failed record


def current_image(s3: "S3Client", *, bucket: str, key: str) -> tuple[Image, str] | None:
    """Return the object's present version and the time of its upload (ISO 8601); None if it was deleted."""
    try:
        head = s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] in ABSENT:
            return None
        raise
    version = head.get("VersionId")
    image = Image(
        bucket=bucket,
        key=key,
        version_id=None if version == "null" else version,
        etag=head["ETag"].strip('"'),
        bytes=head["ContentLength"],
        sequencer=None,
    )
    return image, head["LastModified"].astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def replay(functions: "LambdaClient", s3: "S3Client", target: Target, *, key: str, generation: int = 0) -> bool:
    """Invoke the live function again for one image; return False if the image was deleted in the meantime.

    Args:
        functions: the Lambda client.
        s3: the S3 client.
        target: the image's classifier.
        key: the image's S3 key.
        generation: 0, or the start of the run that classifies images again, in milliseconds since 1970.

    """
    found = current_image(s3, bucket=target.bucket, key=key)
    if found is None:
        return False
    functions.invoke(
        FunctionName=function_name(target.classifier),
        Qualifier=ALIAS,
        InvocationType="Event",
        Payload=json.dumps({"Records": [replay_record(*found, generation=generation)]}).encode(),
    )
    return True


def replay_record(image: Image, uploaded: str, *, generation: int) -> dict[str, Any]:
    """Return one record of an event in S3's format, without sequencer, which only S3's own events have."""
    described = {
        "key": quote_plus(image.key, safe="/"),
        "size": image.bytes,
        "eTag": image.etag,
        "versionId": image.version_id,
    }
    return {
        "eventSource": "image-classifier:replay",
        "eventName": "ObjectCreated:Replay",
        "eventTime": uploaded,
        "generation": generation,
        "s3": {"bucket": {"name": image.bucket}, "object": {name: value for name, value in described.items() if value}},
    }


def write_failed_record(s3: "S3Client", target: Target, *, key: str, code: str, sentence: str) -> bool:
    """Store a failed record for an image unless it has an answer; return whether it was written.

    If there is an answer, its log entry is written, as the function may have ended before that. A failed record's entry
    is written before it: an image with a record is not looked at again, so a process that ends between the two writes
    would leave a record that no page shows. Readers of the log prefer an answer that came between them.
    """
    found = current_image(s3, bucket=target.bucket, key=key)
    if found is None:
        return False
    image, uploaded = found
    now = datetime.now(UTC)
    times = Times(
        uploaded=uploaded,
        predicted=now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        endpoint_ms=None,
        total_ms=round(max(0.0, (now - predictions.instant(uploaded)).total_seconds() * 1000), 1),
    )
    record = predictions.failed(image, code=code, sentence=sentence, times=times)
    stored = record_that_stays(s3, target, record)
    if stored is None:
        write_log_entry(s3, target, record)
        stored = store_record(s3, target, record)
    if stored is not record:
        write_log_entry(s3, target, stored)
        return False
    log.info("Wrote a failed record for s3://%s/%s: %s", target.bucket, key, sentence)
    return True
