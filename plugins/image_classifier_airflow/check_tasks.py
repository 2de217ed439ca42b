"""Builds the tasks of the group check of a classifier's Dag."""

from typing import Any

from airflow.providers.amazon.aws.sensors.s3 import S3KeySensor

from image_classifier.classifier import Classifier
from image_classifier_airflow.defaults import SIX_MINUTES
from image_classifier_airflow.operators.objects import DeleteObjectsOperator
from image_classifier_airflow.steps import step
from image_classifier_airflow.steps.check import CheckSteps

POLL_S = 5
RECORD_WAIT_S = 60  # after these the check uploads again, once a minute


def checked(classifier: Classifier, *, dataset: Any, job: Any) -> list[Any]:
    """Return the tasks in their order: upload a known image, wait for its record, read it, delete both.

    Args:
        classifier: the classifier.
        dataset: result of the task that prepares the data set.
        job: result of the task that trains.

    """
    steps = CheckSteps(classifier)
    upload = step(steps.plan_check, multiple_outputs=True)(dataset)
    return [
        step(steps.upload_known_image)(upload),
        S3KeySensor(
            task_id="await_record",
            bucket_name=upload["bucket"],
            bucket_key=upload["record"],
            deferrable=True,
            poke_interval=POLL_S,
            timeout=RECORD_WAIT_S,
            soft_fail=True,  # the next task explains the failure
        ),
        step(steps.confirm_prediction, trigger_rule="none_failed", **SIX_MINUTES)(upload, job),
        DeleteObjectsOperator(task_id="remove_known_image", bucket=upload["bucket"], keys=upload["written"]),
    ]
