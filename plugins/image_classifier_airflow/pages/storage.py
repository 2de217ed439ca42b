"""Provides the pages' S3 client, with short time-outs and cached for minutes per connection."""

import functools
import time
from typing import TYPE_CHECKING, Any, cast

from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
from botocore.config import Config

from image_classifier.aws.names import Keys
from image_classifier.aws.settings import bucket_from_env
from image_classifier.classifier import Classifier
from image_classifier.corrections.store import CorrectionCache, Corrections
from image_classifier.gallery.newest import READERS, Records, RowCache

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PATIENCE = Config(
    connect_timeout=3,
    read_timeout=8,
    retries={"total_max_attempts": 2, "mode": "standard"},
    max_pool_connections=2 * READERS,
)
CLIENT_AGE_S = 300  # after this time a changed connection takes effect
ROWS = RowCache()
CORRECTIONS = CorrectionCache()


def s3(classifier: Classifier) -> "S3Client":
    """Return the client of the classifier's connection."""
    return _client(classifier.aws_conn_id, int(time.monotonic() // CLIENT_AGE_S))


def records(classifier: Classifier) -> Records:
    """Return the prediction records of the classifier."""
    return Records(s3(classifier), bucket_from_env(), Keys(classifier.name), ROWS)


def corrections(classifier: Classifier) -> Corrections:
    """Return the corrections of the classifier."""
    return Corrections(s3(classifier), bucket_from_env(), Keys(classifier.name), CORRECTIONS)


@functools.lru_cache(maxsize=8)
def _client(aws_conn_id: str, _age: int) -> "S3Client":
    hook: Any = AwsGenericHook(aws_conn_id=aws_conn_id, client_type="s3")
    config = hook.config.merge(PATIENCE)
    return cast("S3Client", AwsGenericHook(aws_conn_id=aws_conn_id, client_type="s3", config=config).get_conn())
