"""Checks at the end of a run whether uploaded images wait for a record."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import WatchFindingsError
from image_classifier_airflow.steps import clients

if TYPE_CHECKING:
    from image_classifier.classify_existing.waiting import Waiting


def count_waiting(classifier: Classifier) -> "Waiting":
    """Count the waiting images among the first 20,000."""
    from image_classifier.classify_existing.waiting import waiting_images
    from image_classifier.connect.deployment import deployment_before

    bucket, s3, name = Settings.from_env().bucket, clients.s3(classifier.aws_conn_id), classifier.name
    deployment = deployment_before(s3, bucket=bucket, classifier=name)
    resumed_at = deployment.resumed_at if deployment else None
    return waiting_images(s3, bucket=bucket, classifier=name, now=datetime.now(UTC), resumed_at=resumed_at)


def check_none_waits(classifier: Classifier, waiting: "Waiting") -> None:
    """Check that no image waits, unless the file's trigger is paused.

    Raises:
        WatchFindingsError: images wait; the message says how many, which ones, and how to classify them.

    """
    if not waiting.images or classifier.trigger == "paused":
        return
    message = (
        f"{waiting.images:,} images of {classifier.name} have waited for more than ten minutes without a record, "
        f"such as {', '.join(waiting.first)}. The model is deployed. The Dag image_classifier_watch classifies images "
        "whose event was lost, and image_classifier_classify_existing those that were there before the trigger."
    )
    raise WatchFindingsError(message)
