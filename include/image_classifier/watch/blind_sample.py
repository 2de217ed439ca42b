"""Finds a model that is right less often than its floor in people's answers of the blind random sample."""

import hashlib
import json
from typing import TYPE_CHECKING

from image_classifier.aws.s3 import list_objects
from image_classifier.classify_existing.records import Target
from image_classifier.corrections.store import CorrectionCache, Corrections
from image_classifier.evaluate.live_accuracy import live_accuracy
from image_classifier.watch.state import Sampled

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def sample_below(s3: "S3Client", target: Target, *, training_job: str, floor: float, before: Sampled | None) -> Sampled:
    """Compare the accuracy in the blind sample with a floor.

    The corrections are listed in every run of the watch Dag, and read only if one of them, the model or the floor has
    changed.

    Args:
        s3: the client.
        target: the classifier and the bucket.
        training_job: of the model that serves; answers about other models do not count.
        floor: the least accuracy that the classifier's file accepts.
        before: what the last run found.

    Returns:
        What was looked at, and a sentence if all of the accuracy's interval is below the floor.

    """
    listed = list_objects(s3, bucket=target.bucket, prefix=target.keys.corrections)
    state = json.dumps([training_job, floor, sorted((key, stored.etag) for key, stored in listed.items())])
    digest = hashlib.sha256(state.encode()).hexdigest()
    if before is not None and before.digest == digest:
        return before
    stored = Corrections(s3, target.bucket, target.keys, CorrectionCache()).all()
    live = live_accuracy((one.correction for one in stored.values()), training_job=training_job)
    if not live.is_below(floor):
        return Sampled(digest=digest)
    found = live.accuracy
    sentence = (
        f"The model {training_job} is right on {found.right} of {found.of} images of the blind random sample: "
        f"{found.value:.1%} ({found.low:.1%} to {found.high:.1%}), below the floor of {floor:.1%}. Train it with the "
        "corrections, or go back to an earlier model."
    )
    return Sampled(digest=digest, sentence=sentence)
