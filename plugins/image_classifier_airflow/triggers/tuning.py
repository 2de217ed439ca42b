"""Waits for a tuning job in the triggerer; a user's kill stops the job and its training jobs."""

from image_classifier.aws.jobs.kinds import TUNING_JOB
from image_classifier_airflow.triggers.jobs import JobTrigger


class TuningJobTrigger(JobTrigger):
    """Waits for a tuning job; for its event see `JobTrigger`."""

    kind = TUNING_JOB
