"""Waits for a processing job in the triggerer; a user's kill stops the job."""

from image_classifier.prepare.processing.jobs import PROCESSING_JOBS
from image_classifier_airflow.triggers.jobs import JobTrigger


class ProcessingJobTrigger(JobTrigger):
    """Ends with one event; see `JobTrigger`."""

    kind = PROCESSING_JOBS.kind
