"""Waits for a batch transform job in the triggerer; a user's kill stops the job."""

from image_classifier.evaluate.transform_jobs import TRANSFORM_JOBS
from image_classifier_airflow.triggers.jobs import JobTrigger


class TransformJobTrigger(JobTrigger):
    """Waits for a transform job; for its event see `JobTrigger`."""

    kind = TRANSFORM_JOBS.kind
