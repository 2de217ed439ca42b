"""Counts uploaded images that have waited for a record longer than their events take."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from image_classifier.aws.names import Keys
from image_classifier.classify_existing.missing_records import Counter, Position, compare

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

GRACE = timedelta(minutes=10)  # Lambda tries an event three times within four minutes
MOST_IMAGES = 20_000  # compared in one run, which takes 40 ListObjectsV2 calls; the watch Dag compares all images
MOST_NAMED = 3


@dataclass(frozen=True)
class Waiting:
    """The number of waiting images among the compared ones, and the keys of the first few."""

    images: int
    compared: int
    first: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return a text for the run's report: "2 of 61"."""
        return f"{self.images:,} of {self.compared:,}"


def waiting_images(
    s3: "S3Client", *, bucket: str, classifier: str, now: datetime, resumed_at: datetime | None = None
) -> Waiting:
    """Compare the first 20,000 images below incoming/ with the records.

    Args:
        s3: the S3 client, which only lists.
        bucket: the deployment's bucket.
        classifier: the classifier's name.
        now: the present time; an image waits if it was uploaded at least ten minutes before.
        resumed_at: the end of the last pause of the trigger; images of the pause wait ten minutes after it, by when
            the watch Dag has handed them to the function.

    """
    counter, count, first = Counter(), 0, list[str]()
    for image, _, is_missing in compare(s3, bucket=bucket, classifier=classifier, start=Position(), counter=counter):
        since = image.modified if resumed_at is None else max(image.modified, resumed_at)
        if is_missing and since <= now - GRACE:
            count += 1
            if len(first) < MOST_NAMED:
                first.append(Keys(classifier).incoming + image.name.decode())
        if counter.images >= MOST_IMAGES:
            break
    return Waiting(count, counter.images, tuple(first))
