"""Counts the uploaded images that have waited for a record for longer than their own events take."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from image_classifier.aws.names import Keys
from image_classifier.classify_existing.missing_records import Counter, Position, compare

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

GRACE = timedelta(minutes=10)  # Lambda tries an event three times, within four minutes
MOST_IMAGES = 20_000  # compared in one run: 40 ListObjectsV2 calls; the watch Dag compares all of them
MOST_NAMED = 3


@dataclass(frozen=True)
class Waiting:
    """How many of the compared images wait, and the keys of the first of them."""

    images: int
    compared: int
    first: tuple[str, ...] = ()

    def __str__(self) -> str:
        """For the run's report: "2 of 61"."""
        return f"{self.images:,} of {self.compared:,}"


def waiting_images(s3: "S3Client", *, bucket: str, classifier: str, now: datetime) -> Waiting:
    """Compare the first 20,000 images below incoming/ with the records.

    Args:
        s3: only lists.
        bucket: of the deployment.
        classifier: whose images.
        now: an image waits if it was uploaded ten minutes before, or earlier.

    """
    counter, count, first = Counter(), 0, list[str]()
    for image, _, is_missing in compare(s3, bucket=bucket, classifier=classifier, start=Position(), counter=counter):
        if is_missing and image.modified <= now - GRACE:
            count += 1
            if len(first) < MOST_NAMED:
                first.append(Keys(classifier).incoming + image.name.decode())
        if counter.images >= MOST_IMAGES:
            break
    return Waiting(count, counter.images, tuple(first))
