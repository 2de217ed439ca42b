"""Defines the processing jobs that prepare images."""

from collections.abc import Mapping
from typing import Any

from image_classifier.aws.jobs.attempts import JobErrors, RequestedJobs
from image_classifier.aws.jobs.kinds import PROCESSING_JOB
from image_classifier.aws.settings import PREFIX
from image_classifier.contracts.errors import PreparationError, PreparationInputError, PreparationStoppedError

PROCESSING_JOBS = RequestedJobs(
    kind=PROCESSING_JOB,
    errors=JobErrors(
        refused=PreparationInputError,
        failed=PreparationError,
        stopped=PreparationStoppedError,
        unchanged="What it has prepared stays, and is not prepared again.",
    ),
    log_group="/aws/sagemaker/ProcessingJobs",
    resources=("ProcessingResources", "ClusterConfig"),
)
BUCKET_VARIABLE = f"{PREFIX}BUCKET"


def bucket_of(job: Mapping[str, Any]) -> str:
    """Return the bucket to which a described job writes; empty if the job is not ours."""
    return str(job.get("Environment", {}).get(BUCKET_VARIABLE, ""))
