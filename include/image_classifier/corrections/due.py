"""Decides whether there are enough corrections since a model was trained to train it again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from image_classifier.aws import s3 as storage
from image_classifier.aws.client_errors import described
from image_classifier.aws.names import Keys
from image_classifier.contracts.labels import parse_labels
from image_classifier.corrections.store import NOTHING_RENAMED, CorrectionCache, Corrections, accepted

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_sagemaker import SageMakerClient

EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)  # no job is older, and an hour can be subtracted from it
CLOCKS_DIFFER = timedelta(hours=1)  # at most, of the API server, which dates corrections, and S3


@dataclass(frozen=True)
class Due:
    """The number of new corrections, and the time of the newest one in the form of a part of a run id."""

    count: int
    until: str


def corrections_due(
    s3: "S3Client",
    sagemaker: "SageMakerClient",
    *,
    classifier: str,
    bucket: str,
    wanted: int,
    accepted_classes: Sequence[str] = (),
    renamed: Mapping[str, str] = NOTHING_RENAMED,
) -> Due | None:
    """Return the accepted corrections for which no run was started, if there are at least `wanted`.

    Each correction counts for one run, after whose start `remember` is called: a rejected candidate is not trained
    again for the same corrections.

    Args:
        s3: the client.
        sagemaker: says when the model was trained.
        classifier: its name.
        bucket: the deployment's.
        wanted: the number of corrections that starts a run.
        accepted_classes: classes that the classifier's file accepts, beside those of the model.
        renamed: the new name by class that the file renames or joins.

    """
    keys = Keys(classifier)
    deployed = storage.read(s3, bucket=bucket, key=keys.deployment)
    if deployed is None:
        return None
    job = json.loads(deployed[0])["training_job"]
    labels = storage.read(s3, bucket=bucket, key=keys.model_file(job))
    if labels is None:
        return None
    since = max(_trained_at(sagemaker, job), _counted_until(s3, bucket=bucket, keys=keys))
    written = Corrections(s3, bucket, keys, CorrectionCache()).written_since(since - CLOCKS_DIFFER)
    known = (*parse_labels(labels[0]), *accepted_classes, *renamed.values())
    usable = accepted((one.correction for one in written.values()), labels=known, renamed=renamed)
    return count_since([_time(correction.at) for correction in usable], since=since, wanted=wanted)


def remember(s3: "S3Client", *, classifier: str, bucket: str, until: str) -> None:
    """Store that a run was started for the corrections until then (`Due.until`)."""
    body = json.dumps({"counted_until": until}).encode()
    key = Keys(classifier).corrections_run
    storage.write(s3, bucket=bucket, key=key, body=body, content_type="application/json")


def count_since(times: Sequence[datetime], *, since: datetime, wanted: int) -> Due | None:
    """Count the times after ``since``; return None if there are fewer than `wanted`."""
    later = [time for time in times if time > since]
    return Due(len(later), max(later).isoformat()) if len(later) >= wanted else None


def _trained_at(sagemaker: "SageMakerClient", job: str) -> datetime:
    """Return the time of the job's creation: its data set does not contain later corrections."""
    found = described(lambda: sagemaker.describe_training_job(TrainingJobName=job))
    return found["CreationTime"] if found else EARLIEST


def _counted_until(s3: "S3Client", *, bucket: str, keys: Keys) -> datetime:
    found = storage.read(s3, bucket=bucket, key=keys.corrections_run)
    return _time(json.loads(found[0])["counted_until"]) if found else EARLIEST


def _time(iso: str) -> datetime:
    time = datetime.fromisoformat(iso)
    return time if time.tzinfo else time.replace(tzinfo=UTC)
