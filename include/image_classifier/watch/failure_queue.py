"""Reads the failure queue: every failed event becomes a replay, or a failed record with its reason.

Lambda writes a message when an asynchronous event failed in every attempt
(https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html). All classifiers share
the queue. A message is deleted only after all its images were handled; one that cannot be read, or whose images cannot
be handled at present, stays and is reported, and the others are handled all the same.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from botocore.exceptions import BotoCoreError, ClientError

from image_classifier.aws.client_errors import described
from image_classifier.aws.names import PREFIX, function_name
from image_classifier.aws.s3 import object_exists
from image_classifier.classify_existing.records import Target
from image_classifier.classify_existing.replays import MOST_ATTEMPTS, current_image, replay_record, write_failed_record
from image_classifier.connect.function_versions import ALIAS
from image_classifier.contracts.errors import ImageClassifierError

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient

log = logging.getLogger(__name__)

MOST_MESSAGES = 10  # SQS's limit for a ReceiveMessage request
VISIBILITY_S = 120  # the time for which SQS hides a received message from other readers
ATTEMPTS = "replay_attempts"  # the key in the record of a replayed event
OF_A_QUEUE = "The function failed for the image's message five times; see its log."


@dataclass
class Drained:
    """The numbers of handled images, and the messages that stay, by their id.

    Attributes:
        replayed: the function was invoked again.
        given_up: the image got a failed record.
        obsolete: the image was deleted or replaced, has a record, or its classifier has no function.
        unreadable: the error and the beginning of each message that is no failed event of ours.
        unhandled: the error of AWS for each message that another run has to handle.

    """

    replayed: int = 0
    given_up: int = 0
    obsolete: int = 0
    unreadable: dict[str, str] = field(default_factory=dict)
    unhandled: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FailedImage:
    """One image of a message: its classifier, key and version, its replays so far, and Lambda's reason."""

    classifier: str
    key: str
    version_id: str | None
    generation: int
    attempts: int
    reason: str

    @classmethod
    def of(cls, record: Mapping[str, Any], *, classifier: str, reason: str) -> "FailedImage":
        """Read S3's record of the upload; raises what `failed_images` raises."""
        key, version_id = unquote_plus(record["s3"]["object"]["key"]), record["s3"]["object"].get("versionId")
        key.encode()  # raises for half of a surrogate pair, which no key holds
        if not key:
            raise ValueError("the record names no key")
        return cls(
            classifier or key.partition("/")[0],
            key,
            version_id,
            generation=int(record.get("generation", 0)),
            attempts=int(record.get(ATTEMPTS, 0)),
            reason=reason,
        )


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
        name = message["MessageId"]
        try:
            images = list(failed_images(json.loads(message["Body"])))
        except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
            drained.unreadable[name] = f"{error!r}: {message['Body'][:200]}"
            return
        try:
            for image in images:
                self._deal_with_image(image, drained=drained)
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        except (ImageClassifierError, ClientError, BotoCoreError) as error:
            log.exception("Message %s stays in the failure queue", name)
            drained.unhandled[name] = str(error)
        else:
            drained.unhandled.pop(name, None)

    def _deal_with_image(self, image: FailedImage, *, drained: Drained) -> None:
        target = Target(image.classifier, self._bucket)
        found = current_image(self._s3, bucket=self._bucket, key=image.key)
        is_replaced = found is not None and image.version_id not in (None, found[0].version_id)
        if found is None or is_replaced or not image.key.startswith(target.keys.incoming):
            drained.obsolete += 1  # the image was deleted, or a later upload with its own event replaced it
        elif image.attempts < MOST_ATTEMPTS:
            if self._invoke_again(image, replay_record(*found, generation=image.generation)):
                drained.replayed += 1
            else:
                drained.obsolete += 1
        elif write_failed_record(self._s3, target, key=image.key, code="failed", sentence=image.reason):
            drained.given_up += 1
        elif object_exists(self._s3, bucket=self._bucket, key=target.record_key(image.key)):
            drained.obsolete += 1

    def _invoke_again(self, image: FailedImage, record: Mapping[str, Any]) -> bool:
        """Invoke the function; False if the classifier has none, after a teardown that kept the images."""
        payload = json.dumps({"Records": [{**record, ATTEMPTS: image.attempts + 1}]}).encode()
        name = function_name(image.classifier)
        answer = described(
            lambda: self._functions.invoke(FunctionName=name, Qualifier=ALIAS, InvocationType="Event", Payload=payload)
        )
        if answer is None:
            log.info("%s has no function %s: %s gets its record once there is one", image.classifier, name, image.key)
        return answer is not None


def failed_images(body: Mapping[str, Any]) -> Iterator[FailedImage]:
    """Yield the images of one message.

    Raises:
        LookupError: the message is not Lambda's record of a failed event of one of our functions.
        ValueError: the same, as TypeError, AttributeError and ArithmeticError.

    """
    if "requestContext" not in body:  # a message from an upload queue, which S3 wrote
        for record in body["Records"]:
            yield FailedImage.of(record, classifier="", reason=OF_A_QUEUE)
        return
    context = body["requestContext"]
    function = context["functionArn"].split(":function:")[1].split(":")[0]
    if not function.startswith(PREFIX):
        raise ValueError(f"the function {function} is not one of ours")
    answer = body.get("responsePayload") or {}
    words = answer.get("errorMessage") if isinstance(answer, Mapping) else None
    reason = f"{words or context.get('condition', 'no reason given')}"[:600]
    for record in body["requestPayload"]["Records"]:
        yield FailedImage.of(record, classifier=function.removeprefix(PREFIX), reason=reason)
