"""The labels of a model, beside its artifact: a prediction names the classes of the model that answered."""

import logging
from typing import TYPE_CHECKING

from image_classifier.image_list import parse_labels
from image_classifier.names import Keys

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)


def publish_labels(s3: "S3Client", *, bucket: str, classifier: str, labels_key: str, training_job: str) -> str:
    """Copy a data set version's labels to where the function finds them by the variant that answered."""
    key = Keys(classifier).model_labels(training_job)
    s3.copy_object(Bucket=bucket, Key=key, CopySource={"Bucket": bucket, "Key": labels_key})
    log.info("Labels of %s are at s3://%s/%s", training_job, bucket, key)
    return key


def read_labels(s3: "S3Client", *, bucket: str, key: str) -> tuple[str, ...]:
    """The classes, by index."""
    return parse_labels(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
