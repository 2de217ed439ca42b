"""Stores the watch Dag's state of one classifier between runs, as a small JSON object in S3."""

import json
import logging
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from image_classifier.aws import s3 as storage
from image_classifier.aws.names import Keys
from image_classifier.watch.canary import Canary

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)


class Replayed(BaseModel):
    """An image for which the function was invoked again, and which has no record since.

    Attributes:
        attempts: number of replays.
        last: time of the last one.
        seen_in: start of the last full pass that found the image without a record.

    """

    model_config = ConfigDict(extra="ignore")

    attempts: int
    last: datetime
    seen_in: datetime | None = None


class Sampled(BaseModel):
    """What the blind random sample said of the model that serves.

    Attributes:
        training_job: the job that trained the model.
        until: time of the newest correction that was read.
        newest: ETags of the corrections of that second, by S3 key: S3's times are in whole seconds.
        answers: whether the model was right, by the S3 key of each correction that counts.
        sentence: what people are told; None while nothing shows that the model is below its floor.

    """

    model_config = ConfigDict(extra="ignore")

    training_job: str = ""
    until: datetime | None = None
    newest: dict[str, str] = Field(default_factory=dict)
    answers: dict[str, bool] = Field(default_factory=dict)
    sentence: str | None = None


class WatchState(BaseModel):
    """The state of one classifier.

    Attributes:
        pass_started: start of the full pass in progress; None between two passes.
        after: hexadecimal; see `classify_existing.missing_records.Position`.
        images_from: hexadecimal; see `classify_existing.missing_records.Position`.
        last_pass: end of the last full pass.
        last_pass_images: number of images that it compared.
        last_pass_listings: number of its ListObjectsV2 calls.
        replayed: replayed images below incoming/, by key.
        reported: open findings for which a message was sent.
        sampled: what the blind random sample said; None if the file has no floor, or nothing serves.
        canary: the canary in flight; None if the file has no `canary_s`.

    """

    model_config = ConfigDict(extra="ignore")

    pass_started: datetime | None = None
    after: str = ""
    images_from: str = ""
    images: int = 0
    listings: int = 0
    last_pass: datetime | None = None
    last_pass_images: int = 0
    last_pass_listings: int = 0
    replayed: dict[str, Replayed] = Field(default_factory=dict)
    reported: list[str] = Field(default_factory=list)
    sampled: Sampled | None = None
    canary: Canary | None = None


def read_state(s3: "S3Client", *, bucket: str, classifier: str) -> tuple[WatchState, str | None]:
    """Return the state and its ETag; an empty state if there is none, or if the object is not a state.

    Raises:
        StorageError: S3 refuses the request.

    """
    key = Keys(classifier).watch_state
    found = storage.read(s3, bucket=bucket, key=key)
    if found is None:
        return WatchState(), None
    try:
        return WatchState.model_validate(json.loads(found[0])), found[1]
    except (ValueError, ValidationError) as error:
        log.warning("s3://%s/%s is not what the watch Dag wrote, and is replaced: %s", bucket, key, error)
        return WatchState(), found[1]


def write_state(s3: "S3Client", state: WatchState, *, bucket: str, classifier: str, etag: str | None) -> None:
    """Store the state if the stored one still has the ETag `etag`.

    Raises:
        ResourceBusyError: another run of the watch Dag wrote it in the meantime.

    """
    storage.write_if_unchanged(
        s3,
        bucket=bucket,
        key=Keys(classifier).watch_state,
        body=state.model_dump_json().encode(),
        content_type="application/json",
        etag=etag,
    )
