"""Uploads a canary image in every run of the watch Dag, and measures the time from the upload to its record.

The image has no content and a key below the folder of checks, so that index, pages, corrections, the search for images
without a record and the function's metrics leave it out. Its event is handled as any other, and replayed if it fails:
the measured time then includes the delay. One canary is in flight: the next is uploaded when the record of the last one
exists.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict

from image_classifier.aws import s3 as storage
from image_classifier.classify_existing.records import Target
from image_classifier.contracts.errors import PredictionError
from image_classifier.contracts.predictions import Prediction, instant
from image_classifier.contracts.record_keys import CHECK_FOLDER, thumbnail_key

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)

NAME = f"{CHECK_FOLDER}canary.jpg"
LOST_AFTER = timedelta(hours=1)  # then another is uploaded: the event of this one may be lost
CLOCKS_DIFFER = timedelta(seconds=2)  # S3 gives times in whole seconds


class Canary(BaseModel):
    """The canary that was uploaded last.

    Attributes:
        sent: time of the upload.
        version_id: of the image; None in a bucket without versions.
        took_s: seconds from upload to record of the canary before; None without one.

    """

    model_config = ConfigDict(extra="ignore")

    sent: datetime
    version_id: str | None = None
    took_s: float | None = None


@dataclass(frozen=True)
class CanaryCheck:
    """Follows the canary of one classifier; a record that takes more than `limit_s` seconds is a finding."""

    s3: "S3Client"
    target: Target
    limit_s: int

    def run(self, canary: Canary | None, *, now: datetime) -> tuple[Canary, str | None]:
        """Look for the record of the last canary, and upload the next one; return it, and a finding or None."""
        if canary is None:
            return self._upload(now=now, took_s=None), None
        took_s = self._took_s(canary)
        if took_s is None:
            return self._wait(canary, now=now)
        log.info("Canary of %s: its record was written %.1f s after the upload", self.target.classifier, took_s)
        return self._upload(now=now, took_s=took_s), self._finding(took_s)

    def delete(self) -> None:
        """Delete the canary, its record and its thumbnail."""
        keys = self.target.keys
        thumbnail = thumbnail_key(self._key, incoming_prefix=keys.incoming, thumbnails_prefix=keys.thumbnails)
        storage.delete(self.s3, bucket=self.target.bucket, keys=[self._key, self._record_key, thumbnail])

    @property
    def _key(self) -> str:
        return f"{self.target.keys.incoming}{NAME}"

    @property
    def _record_key(self) -> str:
        return self.target.record_key(self._key)

    def _upload(self, *, now: datetime, took_s: float | None) -> Canary:
        """Upload the image after the record of the last one was deleted."""
        from image_classifier.contracts.pixels import blank  # imports Pillow, which a classifier without canary spares

        self.s3.delete_object(Bucket=self.target.bucket, Key=self._record_key)
        stored = self.s3.put_object(Bucket=self.target.bucket, Key=self._key, Body=blank(), ContentType="image/jpeg")
        return Canary(sent=now, version_id=stored.get("VersionId"), took_s=took_s)

    def _took_s(self, canary: Canary) -> float | None:
        """Return the seconds from the upload to the record; None while this canary has none."""
        try:
            body = self.s3.get_object(Bucket=self.target.bucket, Key=self._record_key)["Body"].read()
            record = Prediction.from_json(body)
        except PredictionError:
            return None
        except ClientError as error:
            if error.response["Error"]["Code"] in storage.ABSENT:
                return None
            raise
        if record.status == "failed" or not _is_of(record, canary):
            return None
        return record.times.total_ms / 1000

    def _wait(self, canary: Canary, *, now: datetime) -> tuple[Canary, str | None]:
        waited = now - canary.sent
        if waited.total_seconds() <= self.limit_s:
            return canary, None
        sentence = (
            f"The canary image s3://{self.target.bucket}/{self._key}, uploaded at {canary.sent:%Y-%m-%d %H:%M:%S} UTC, "
            f"has no prediction after {waited.total_seconds():,.0f} s; canary_s is {self.limit_s}. Look at the event "
            "notification, the function's log and the endpoint."
        )
        return (self._upload(now=now, took_s=None) if waited > LOST_AFTER else canary), sentence

    def _finding(self, took_s: float) -> str | None:
        if took_s <= self.limit_s:
            return None
        return (
            f"The canary image had its prediction {took_s:,.0f} s after the upload; canary_s is {self.limit_s}. Look "
            "at the throttles of the function and the endpoint."
        )


def _is_of(record: Prediction, canary: Canary) -> bool:
    if canary.version_id and record.image.version_id:
        return record.image.version_id == canary.version_id
    return instant(record.times.uploaded) >= canary.sent - CLOCKS_DIFFER
