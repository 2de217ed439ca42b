"""Finds a model that is right less often than its floor in people's answers of the blind random sample."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from image_classifier.aws.s3 import Stored, list_objects
from image_classifier.classify_existing.records import Target
from image_classifier.corrections.store import CorrectionCache, Corrections
from image_classifier.evaluate.live_accuracy import accuracy_of, is_counted
from image_classifier.watch.state import Sampled

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def sample_below(s3: "S3Client", target: Target, *, training_job: str, floor: float, before: Sampled | None) -> Sampled:
    """Compare the accuracy in the blind sample with a floor.

    The corrections are listed in every run of the watch Dag; only those that were written since the last run are read.

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
    if before is None or before.training_job != training_job:
        before = Sampled(training_job=training_job)
    until = max(map(_time, listed.values()), default=None)
    sampled = Sampled(
        training_job=training_job,
        until=until,
        newest={key: stored.etag for key, stored in listed.items() if _time(stored) == until},
        answers=_answers(s3, target, listed, before=before),
    )
    live = accuracy_of(sampled.answers.values())
    if live.is_below(floor):
        found = live.accuracy
        sampled.sentence = (
            f"The model {training_job} is right on {found.right} of {found.of} images of the blind random sample: "
            f"{found.value:.1%} ({found.low:.1%} to {found.high:.1%}), below the floor of {floor:.1%}. Train it with "
            "the corrections, or go back to an earlier model."
        )
    return sampled


def _answers(s3: "S3Client", target: Target, listed: Mapping[str, Stored], *, before: Sampled) -> dict[str, bool]:
    """Return the answers of the last run, with those of new, changed and deleted corrections brought up to date."""
    changed = {key: stored.etag for key, stored in listed.items() if _is_changed(key, stored, before)}
    corrections = Corrections(s3, target.bucket, target.keys, CorrectionCache())
    read = (stored.correction for stored in corrections.read(changed).values())
    kept = {key: right for key, right in before.answers.items() if key in listed and key not in changed}
    return kept | {
        corrections.key_of(correction.key): correction.is_right
        for correction in read
        if is_counted(correction, training_job=before.training_job)
    }


def _is_changed(key: str, stored: Stored, before: Sampled) -> bool:
    if before.until is None or _time(stored) > before.until:
        return True
    return _time(stored) == before.until and before.newest.get(key) != stored.etag


def _time(stored: Stored) -> datetime:
    return datetime.fromisoformat(stored.last_modified)
