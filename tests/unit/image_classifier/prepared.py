"""Prepares a classifier's images in one call, as the Dag's tasks do in several."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from image_classifier.aws.names import Keys
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.prepare.dataset import finish_dataset, list_dataset
from image_classifier.prepare.prepared import PreparedDataset
from image_classifier.prepare.shards.listing import delete_listings

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def prepare_dataset(
    classifier: Classifier,
    *,
    s3: "S3Client",
    settings: Settings,
    reset_labels: bool = False,
    on_progress: Callable[[str], None] = print,
) -> PreparedDataset:
    """List the source, prepare every shard, write the version, and delete the listing."""
    asked = {"s3": s3, "settings": settings, "reset_labels": reset_labels, "on_progress": on_progress}
    prepared = finish_dataset(classifier.name, list_dataset(classifier, **asked), **asked)
    delete_listings(s3, bucket=settings.bucket, keys=Keys(classifier.name))
    return prepared
