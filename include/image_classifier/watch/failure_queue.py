"""Reads the failure queue: every failed event becomes a replay, or a failed record with its reason.

Lambda writes a message when an asynchronous event failed in every attempt
(https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html). All classifiers share
the queue. A message is deleted only after all its images were handled; an unreadable message stays and is reported.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from image_classifier.aws.names import PREFIX, function_name
from image_classifier.aws.s3 import object_exists
from image_classifier.classify_existing.records import Target
from image_classifier.classify_existing.replays import MOST_ATTEMPTS, current_image, replay_record, write_failed_record
from image_classifier.connect.function_versions import ALIAS

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient

log = logging.getLogger(__name__)

MOST_MESSAGES = 10  # SQS's limit for a ReceiveMessage request
VISIBILITY_S = 120  # the time for which SQS hides a received message from other readers
ATTEMPTS = "replay_attempts"  # the key in the record of a replayed event


@dataclass
class Drained:
    """The numbers of handled messages; `unreadable` has the ids and beginnings of those that stay."""

    replayed: int = 0
    given_up: int = 0
    obsolete: int = 0
    unreadable: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class FailedImage:
    """One image of a message: the function that failed, S3's record of the upload, and Lambda's reason."""

    classifier: str
    record: Mapping[str, Any]
    reason: str

    @property
    def key(self) -> str:
        return unquote_plus(self.record["s3"]["object"]["key"])

    @property
    def version_id(self) -> str | None:
        version: str | None = self.record["s3"]["object"].get("versionId")
        return version

    @property
    def attempts(self) -> int:
        return int(self.record.get(ATTEMPTS, 0))


class FailureQueue:
    """The queue of failed events of one deployment."""

    def __init__(self, sqs: "SQSClient", functions: "LambdaClient", s3: "S3Client", *, url: str, bucket: str) -> None:
        """Store the clients; nothing is received yet."""
        self._sqs, self._functions, self._s3, self._url, self._bucket = sqs, functions, s3, url, bucket

    def drain(self, *, is_over: Callable[[], bool]) -> Drained:
        """Handle messages until none is left, or until `is_over`."""
        drained = Drained()
        while not is_over():
            messages = self._sqs.receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=MOST_MESSAGES, VisibilityTimeout=VISIBILITY_S, WaitTimeSeconds=1
            ).get("Messages", [])
            if not messages:
                break
            for message in messages:
                self._deal_with(message, drained=drained)
        log.info("Failure queue: %s", drained)
        return drained

    def _deal_with(self, message: Any, *, drained: Drained) -> None:
        try:
            images = list(failed_images(json.loads(message["Body"])))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            drained.unreadable.append(f"{message['MessageId']} ({error!r}): {message['Body'][:200]}")
            return
        for image in images:
            self._deal_with_image(image, drained=drained)
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])

    def _deal_with_image(self, image: FailedImage, *, drained: Drained) -> None:
        target = Target(image.classifier, self._bucket)
        found = current_image(self._s3, bucket=self._bucket, key=image.key)
        is_replaced = found is not None and image.version_id not in (None, found[0].version_id)
        if found is None or is_replaced or not image.key.startswith(target.keys.incoming):
            drained.obsolete += 1  # the image was deleted, or a later upload with its own event replaced it
        elif image.attempts < MOST_ATTEMPTS:
            record = replay_record(*found, generation=int(image.record.get("generation", 0)))
            self._functions.invoke(
                FunctionName=function_name(image.classifier),
                Qualifier=ALIAS,
                InvocationType="Event",
                Payload=json.dumps({"Records": [{**record, ATTEMPTS: image.attempts + 1}]}).encode(),
            )
            drained.replayed += 1
        elif write_failed_record(self._s3, target, key=image.key, code="failed", sentence=image.reason):
            drained.given_up += 1
        elif object_exists(self._s3, bucket=self._bucket, key=target.record_key(image.key)):
            drained.obsolete += 1


def failed_images(body: Mapping[str, Any]) -> Iterator[FailedImage]:
    """Yield the images of one message.

    Raises:
        KeyError: the message is not Lambda's record of a failed event of one of our functions.
        ValueError: the same.

    """
    if "requestContext" not in body:  # a message from an upload queue, which S3 wrote
        yield from _queued_images(body)
        return
    context = body["requestContext"]
    function = context["functionArn"].split(":function:")[1].split(":")[0]
    if not function.startswith(PREFIX):
        raise ValueError(f"the function {function} is not one of ours")
    answer = body.get("responsePayload") or {}
    words = answer.get("errorMessage") if isinstance(answer, Mapping) else None
    reason = f"{words or context.get('condition', 'no reason given')}"[:600]
    for record in body["requestPayload"]["Records"]:
        record["s3"]["object"]["key"]  # raises KeyError here, before any image is handled
        yield FailedImage(function.removeprefix(PREFIX), record, reason)


def _queued_images(body: Mapping[str, Any]) -> Iterator[FailedImage]:
    for record in body["Records"]:
        classifier = unquote_plus(record["s3"]["object"]["key"]).partition("/")[0]
        yield FailedImage(classifier, record, "The function failed for the image's message five times; see its log.")
