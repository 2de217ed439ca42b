"""Waits for a tuning job in the triggerer; a user's kill stops the job and its training jobs."""

from collections.abc import Mapping
from typing import Any

from image_classifier.train.tuning import tuning_jobs
from image_classifier_airflow.triggers.jobs import JobTrigger, Kind


class TuningJobTrigger(JobTrigger):
    """Ends with one event; see `JobTrigger`."""

    kind = Kind("tuning job", "hyper_parameter_tuning_job", "HyperParameterTuningJob")

    def is_finished(self, job: Mapping[str, Any]) -> bool:
        return tuning_jobs.is_finished(job)
