"""Finds images that were uploaded again and whose record, although newer, belongs to the earlier upload.

A full pass compares times only, because listings do not show which version of an image a record belongs to. If an event
waits for minutes, for a throttled endpoint or in a queue, its record may be newer than the next upload to its key. If
the event of that next upload is lost, the image seems to have its record. So the images of all new records are checked
once, with one HeadObject each, when the watch Dag moves their log entries into the index.
"""

import json
import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import code_of
from image_classifier.classify_existing.records import ABSENT, Target
from image_classifier.classify_existing.replays import replay
from image_classifier.contracts.errors import PredictionError
from image_classifier.contracts.predictions import Prediction

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)

THREADS = 8


@dataclass(frozen=True)
class ReplacedImages:
    """Finds replaced images of one classifier, and invokes the function for them again."""

    functions: "LambdaClient"
    s3: "S3Client"
    target: Target

    def replay(self, lines: Iterable[bytes]) -> int:
        """Replay each image whose stored record belongs to an earlier upload and is not older than the image.

        Args:
            lines: new records as JSON; an image may have several.

        Returns:
            The number of replayed images. The full pass finds images that are newer than their record.

        """
        etags: dict[str, set[str | None]] = {}
        for line in lines:
            image = json.loads(line)["image"]
            etags.setdefault(image["key"], set()).add(image.get("etag"))
        with ThreadPoolExecutor(THREADS) as threads:
            is_hidden = threads.map(lambda key: self._has_record_of_another(key, etags[key]), etags)
            hidden = [key for key, found in zip(etags, is_hidden, strict=True) if found]
        for key in hidden:
            log.info("The record of s3://%s/%s is of an earlier upload: replayed", self.target.bucket, key)
        return sum(replay(self.functions, self.s3, self.target, key=key) for key in hidden)

    def _has_record_of_another(self, key: str, known: set[str | None]) -> bool:
        """Return whether the image differs from those of its new records and of its stored record."""
        try:
            image = self.s3.head_object(Bucket=self.target.bucket, Key=key)
        except ClientError as error:
            if code_of(error) in ABSENT:
                return False  # deleted in the meantime
            raise
        etag = image["ETag"].strip('"')
        if etag in known:
            return False
        try:
            stored = self.s3.get_object(Bucket=self.target.bucket, Key=self.target.record_key(key))
            record = Prediction.from_json(stored["Body"].read())
        except PredictionError:
            return True
        except ClientError as error:
            if code_of(error) in ABSENT:
                return False
            raise
        return record.image.etag != etag and stored["LastModified"] >= image["LastModified"]
