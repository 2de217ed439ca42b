"""Waits for a batch transform job in the triggerer; a user's kill stops the job."""

from collections.abc import Mapping
from typing import Any

from image_classifier.evaluate import transform_jobs
from image_classifier_airflow.triggers.jobs import JobTrigger, Kind


class TransformJobTrigger(JobTrigger):
    """Ends with one event; see `JobTrigger`."""

    kind = Kind("transform job", "transform_job", "TransformJob")

    def is_finished(self, job: Mapping[str, Any]) -> bool:
        return transform_jobs.is_finished(job)
