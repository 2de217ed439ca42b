"""Registers the live model if a release without a registry deployed it."""

import logging
from typing import TYPE_CHECKING

from image_classifier.aws import s3 as storage
from image_classifier.aws.client_errors import described
from image_classifier.aws.names import Keys
from image_classifier.contracts.labels import labels_sha256, parse_labels
from image_classifier.promote import registry

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_sagemaker import SageMakerClient

log = logging.getLogger(__name__)

WHY = "It was deployed by a release without a registry."


def register_live_model(
    sagemaker: "SageMakerClient",
    s3: "S3Client",
    *,
    classifier: str,
    bucket: str,
    group: str,
    training_job: str,
    model: str,
    own_image: str | None,
) -> str | None:
    """Register the live model unless it is registered; return the new version's ARN, or None if nothing was done.

    Args:
        sagemaker: the SageMaker client.
        s3: the S3 client, which reads the model's labels.
        classifier: the classifier's name.
        bucket: the bucket of the classifiers.
        group: the classifier's model package group.
        training_job: the model's training job, whose name the endpoint's variant has.
        model: name of the SageMaker model.
        own_image: the deployment's image of `algorithm: own`, if it has one.

    """
    if registry.find_version(sagemaker, training_job, group=group) is not None:
        return None
    found = described(lambda: sagemaker.describe_model(ModelName=model))
    if found is None:
        return None
    container = found["PrimaryContainer"]
    algorithm = "own" if container["Image"] == own_image else "builtin"
    trained = registry.TrainedModel(training_job, container["Image"], container["ModelDataUrl"], algorithm)
    document = storage.read(s3, bucket=bucket, key=Keys(classifier).model_file(training_job))
    labels = labels_sha256(parse_labels(document[0])) if document else ""
    arn = registry.ensure_version(sagemaker, trained, group=group, labels=labels, report=None, report_uri="")
    registry.set_approval(sagemaker, arn, status="Approved", why=WHY)
    log.info("%s is live, and is registered as %s", training_job, arn)
    return arn
