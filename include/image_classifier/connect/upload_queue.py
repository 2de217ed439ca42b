"""Creates the queue between S3 and the function: S3 sends a message for each upload, and Lambda polls the queue.

A queue holds uploads while the function or the endpoint is too slow, limits how many run at once, and reports each
failed message separately. Source of the limits: AWS's guide to SQS as an event source
(https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html).
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import code_of, delete
from image_classifier.aws.names import TAG, function_name
from image_classifier.aws.retry import repeat_on
from image_classifier.connect.function_calls import change
from image_classifier.connect.function_configuration import TIMEOUT_S
from image_classifier.contracts.errors import ResourceClashError

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.literals import QueueAttributeNameType

log = logging.getLogger(__name__)

Outcome = Literal["created", "updated", "unchanged"]
VISIBILITY_S = 6 * TIMEOUT_S  # AWS recommends at least six times the function's timeout
RETENTION_S = 14 * 86_400  # SQS's maximum
MOST_RECEIVES = 5  # after as many receives a message goes to the failure queue
BATCH_SIZE = 10
POLICY_SID = "UploadsOfTheBucket"
LEAST_CONCURRENCY = 2  # SQS event source mappings accept 2 to 1,000
WORKING = ("Enabled", "Enabling", "Creating", "Updating")  # states of an event source mapping
ABSENT = {"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}
# SQS creates no queue with the name of one that was deleted less than 60 s ago.
DELETED_RECENTLY = {"AWS.SimpleQueueService.QueueDeletedRecently", "QueueDeletedRecently"}
MOST_TRIES = 14
TRY_PAUSE_S = 5.0


def queue_name(classifier: str) -> str:
    """Return the name of a classifier's upload queue, which never changes."""
    return function_name(classifier)


def ensure_upload_queue(
    sqs: "SQSClient", *, classifier: str, bucket_arn: str, account: str, failure_queue_arn: str, tags: Mapping[str, str]
) -> tuple[str, Outcome]:
    """Create the queue or update its attributes; return its ARN and what was done.

    A message that was received five times goes to the deployment's failure queue, which the watch Dag reads.

    Raises:
        ResourceClashError: a queue of this name is not the classifier's.

    """
    partition, region = failure_queue_arn.split(":")[1], failure_queue_arn.split(":")[3]
    arn = f"arn:{partition}:sqs:{region}:{account}:{queue_name(classifier)}"
    wanted = _attributes(arn, bucket_arn=bucket_arn, account=account, failure_queue_arn=failure_queue_arn)
    queue = _found(sqs, classifier)
    if queue is None:
        _create(lambda: sqs.create_queue(QueueName=queue_name(classifier), Attributes=wanted, tags=dict(tags)))
        log.info("Queue %s created", arn)
        return arn, "created"
    if queue.owner != classifier:
        message = (
            f"Queue {arn} exists without the tag {TAG}: {classifier}, so it is somebody else's, and nothing in it was "
            "changed. Rename the classifier, delete the queue, or use `trigger: direct`."
        )
        raise ResourceClashError(message)
    url = queue.url
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    if all(_meaning(found.get(name)) == _meaning(value) for name, value in wanted.items()):
        return arn, "unchanged"
    sqs.set_queue_attributes(QueueUrl=url, Attributes=wanted)
    log.info("Queue %s updated", arn)
    return arn, "updated"


def ensure_mapping(lambda_client: "LambdaClient", *, queue_arn: str, alias_arn: str, concurrency: int) -> Outcome:
    """Let Lambda invoke the alias for the queue's messages, with at most `concurrency` executions at once.

    Raises:
        ResourceBusyError: for a minute Lambda did not see a new queue, or was still changing or deleting a mapping.

    """
    wanted = _settings(concurrency)
    ensure = partial(_ensure_mapping, lambda_client, wanted, queue_arn=queue_arn, alias_arn=alias_arn)
    return change(ensure, what=f"The event source mapping of {queue_arn}")


def _ensure_mapping(
    lambda_client: "LambdaClient", wanted: Mapping[str, Any], *, queue_arn: str, alias_arn: str
) -> Outcome:
    found = _mapping(lambda_client, queue_arn=queue_arn, alias_arn=alias_arn)
    if found is None:
        lambda_client.create_event_source_mapping(
            EventSourceArn=queue_arn, FunctionName=alias_arn, Enabled=True, **wanted
        )
        log.info("Lambda polls %s for %s", queue_arn, alias_arn)
        return "created"
    if _works(found, wanted):
        return "unchanged"
    lambda_client.update_event_source_mapping(UUID=found["UUID"], Enabled=True, **wanted)
    return "updated"


def is_polled(lambda_client: "LambdaClient", *, queue_arn: str, alias_arn: str, concurrency: int) -> bool:
    """Return whether Lambda polls the queue for the alias, with the settings that `ensure_mapping` sets.

    Without ReportBatchItemFailures, for example, Lambda would delete the messages that failed.
    """
    found = _mapping(lambda_client, queue_arn=queue_arn, alias_arn=alias_arn)
    return found is not None and _works(found, _settings(concurrency))


def _settings(concurrency: int) -> dict[str, Any]:
    return {
        "BatchSize": BATCH_SIZE,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": max(LEAST_CONCURRENCY, concurrency)},
    }


def _works(found: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    return found.get("State") in WORKING and all(found.get(name) == value for name, value in settings.items())


def delete_upload_queue(sqs: "SQSClient", lambda_client: "LambdaClient", *, classifier: str) -> bool:
    """Delete the classifier's event source mappings, then its queue; return whether there was one.

    Raises:
        ResourceBusyError: for a minute Lambda was still changing a mapping.

    """
    url = next(iter(our_upload_queues(sqs, classifier=classifier)), None)
    if url is None:
        return False
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pages = lambda_client.get_paginator("list_event_source_mappings").paginate(EventSourceArn=arn)
    for mapping in [found for page in pages for found in page["EventSourceMappings"]]:
        what = f"Event source mapping {mapping['UUID']} of {arn}"
        call = partial(lambda_client.delete_event_source_mapping, UUID=mapping["UUID"])
        change(partial(delete, call, what=what), what=what)
    sqs.delete_queue(QueueUrl=url)
    log.info("Queue %s deleted", arn)
    return True


def _create(create: Callable[[], object]) -> None:
    """Create the queue; after a teardown a minute ago this waits until SQS takes the name again."""
    repeat_on(lambda error: code_of(error) in DELETED_RECENTLY, create, tries=MOST_TRIES, pause_s=TRY_PAUSE_S)


def _attributes(
    arn: str, *, bucket_arn: str, account: str, failure_queue_arn: str
) -> "dict[QueueAttributeNameType, str]":
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": POLICY_SID,
                "Effect": "Allow",
                "Principal": {"Service": "s3.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
                "Condition": {
                    "ArnEquals": {"aws:SourceArn": bucket_arn},
                    "StringEquals": {
                        "aws:SourceAccount": account
                    },  # another account may own a bucket of this name one day
                },
            }
        ],
    }
    return {
        "VisibilityTimeout": str(VISIBILITY_S),
        "MessageRetentionPeriod": str(RETENTION_S),
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": failure_queue_arn, "maxReceiveCount": MOST_RECEIVES}),
        "Policy": json.dumps(policy),
    }


def _meaning(value: str | None) -> object:
    """Return an attribute in a form that can be compared: SQS may return JSON in another order."""
    return json.loads(value) if value and value.startswith("{") else value


def our_upload_queues(sqs: "SQSClient", *, classifier: str) -> tuple[str, ...]:
    """Return the URL of the classifier's queue; empty if there is none, or if its tag does not say that it is ours."""
    queue = _found(sqs, classifier)
    return (queue.url,) if queue and queue.owner == classifier else ()


def takes_uploads(sqs: "SQSClient", *, classifier: str) -> bool:
    """Return whether the classifier's queue exists, with the statement of its policy that lets S3 send messages."""
    queue = _found(sqs, classifier)
    if queue is None or queue.owner != classifier:
        return False
    found = sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=["Policy"]).get("Attributes", {})
    return f'"{POLICY_SID}"' in found.get("Policy", "")


@dataclass(frozen=True)
class _Queue:
    """A queue, and the classifier that its tag names."""

    url: str
    owner: str | None


def _found(sqs: "SQSClient", classifier: str) -> _Queue | None:
    """Return the queue with the classifier's name; for a minute SQS may still give the URL of one that was deleted."""
    try:
        url = sqs.get_queue_url(QueueName=queue_name(classifier))["QueueUrl"]
        return _Queue(url, sqs.list_queue_tags(QueueUrl=url).get("Tags", {}).get(TAG))
    except ClientError as error:
        if error.response["Error"]["Code"] in ABSENT:
            return None
        raise


def _mapping(lambda_client: "LambdaClient", *, queue_arn: str, alias_arn: str) -> Mapping[str, Any] | None:
    pages = lambda_client.get_paginator("list_event_source_mappings").paginate(EventSourceArn=queue_arn)
    found = [mapping for page in pages for mapping in page["EventSourceMappings"]]
    return next((dict(mapping) for mapping in found if mapping.get("FunctionArn") == alias_arn), None)
