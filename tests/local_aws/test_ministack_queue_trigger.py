"""Checks uploads that reach functions through SQS: policies, batches, partial failures, redrive, metrics."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from tests.waiting import until

from local_aws import clients

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import MiniStack

# Notes each image of a batch, and says that those named "bad" failed.
NOTE_BATCH = """
import boto3, json, urllib.parse
s3 = boto3.client("s3")
def handler(event, context):
    failed = []
    for message in event["Records"]:
        body = json.loads(message["body"])
        if body.get("Event") == "s3:TestEvent":
            continue
        record = body["Records"][0]["s3"]
        key = urllib.parse.unquote_plus(record["object"]["key"])
        count = message["attributes"]["ApproximateReceiveCount"]
        note = key.replace("/incoming/", "/results/") + "-" + count
        s3.put_object(Bucket=record["bucket"]["name"], Key=note, Body=str(len(event["Records"])))
        if key.endswith("bad"):
            failed.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failed}
"""


@dataclass
class Queue:
    """An SQS queue with a dead-letter queue, both of a test's own."""

    server: MiniStack
    name: str
    url: str
    dead_url: str

    @property
    def arn(self) -> str:
        return f"arn:aws:sqs:{clients.REGION}:{clients.ACCOUNT}:{self.name}"

    @property
    def prefix(self) -> str:
        return f"{self.name}/incoming/"

    def depth(self, url: str) -> int:
        found = self.server.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return sum(int(value) for name, value in found.items() if name.startswith("ApproximateNumberOfMessages"))

    def allow_s3(self, **condition: str) -> None:
        """Let S3 send messages for exactly this bucket, or for what `condition` says instead."""
        sources = {
            "aws:SourceArn": f"arn:aws:s3:::{self.server.bucket}",
            "aws:SourceAccount": clients.ACCOUNT,
            **condition,
        }
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "s3.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": self.arn,
            "Condition": {
                "ArnEquals": {"aws:SourceArn": sources["aws:SourceArn"]},
                "StringEquals": {"aws:SourceAccount": sources["aws:SourceAccount"]},
            },
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.server.client("sqs").set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": policy})

    def notify(self) -> None:
        configuration = {
            "Id": self.name,
            "QueueArn": self.arn,
            "Events": ["s3:ObjectCreated:*"],
            "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": self.prefix}]}},
        }
        self.server.client("s3").put_bucket_notification_configuration(
            Bucket=self.server.bucket, NotificationConfiguration={"QueueConfigurations": [configuration]}
        )

    def upload(self, *names: str) -> None:
        for name in names:
            self.server.client("s3").put_object(Bucket=self.server.bucket, Key=self.prefix + name, Body=b"image")

    def results(self) -> list[str]:
        prefix = f"{self.name}/results/"
        return sorted(key.removeprefix(prefix) for key in self.server.keys(prefix))

    def map_to(self, function: str, **settings: Any) -> str:
        request = {"FunctionResponseTypes": ["ReportBatchItemFailures"], **settings}
        functions = self.server.client("lambda")
        mapping = functions.create_event_source_mapping(EventSourceArn=self.arn, FunctionName=function, **request)
        return str(mapping["UUID"])


@pytest.fixture
def new_queue(ministack: MiniStack) -> Iterator[Callable[..., Queue]]:
    """Make a queue whose messages are dead after two receipts; event source mappings are deleted after the test."""
    sqs = ministack.client("sqs")

    def make(visibility_s: int = 30, receipts: int = 2) -> Queue:
        name = f"image-classifier-{uuid.uuid4().hex[:8]}"
        dead_url = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        dead_arn = f"arn:aws:sqs:{clients.REGION}:{clients.ACCOUNT}:{name}-dead"
        redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": receipts})
        attributes = {"VisibilityTimeout": str(visibility_s), "RedrivePolicy": redrive}
        url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return Queue(ministack, name, url, dead_url)

    yield make
    functions = ministack.client("lambda")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        functions.delete_event_source_mapping(UUID=mapping["UUID"])
    ministack.notify()


def error_of(call: Callable[..., Any], *arguments: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(*arguments, **request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_queue_with_a_policy_for_s3_gets_the_test_event_and_uploads(
    new_queue: Callable[..., Queue],
) -> None:
    queue = new_queue()
    queue.allow_s3()
    queue.notify()
    queue.upload("a")

    first, second = (json.loads(queue.server.next_message(queue.arn)) for _ in range(2))
    assert first["Event"] == "s3:TestEvent"
    assert first["Bucket"] == queue.server.bucket
    assert second["Records"][0]["s3"]["object"]["key"] == f"{queue.prefix}a"


@pytest.mark.parametrize(
    "condition",
    [None, {"aws:SourceArn": "arn:aws:s3:::another-bucket"}, {"aws:SourceAccount": "111111111111"}],
    ids=["no policy", "another bucket", "another account"],
)
def test_a_notification_to_a_queue_that_s3_may_not_send_to_is_refused(
    new_queue: Callable[..., Queue], condition: dict[str, str] | None
) -> None:
    queue = new_queue()
    if condition is not None:
        queue.allow_s3(**condition)

    code, message = error_of(queue.notify)

    assert code == "InvalidArgument"
    assert message.startswith("Unable to validate the following destination configurations")
    assert queue.depth(queue.url) == 0


def test_a_notification_to_a_fifo_queue_is_refused(new_queue: Callable[..., Queue]) -> None:
    queue = new_queue()
    fifo = Queue(queue.server, f"{queue.name}.fifo", url="", dead_url="")
    sqs = queue.server.client("sqs")
    fifo.url = sqs.create_queue(QueueName=fifo.name, Attributes={"FifoQueue": "true"})["QueueUrl"]
    fifo.allow_s3()

    code, message = error_of(fifo.notify)

    assert code == "InvalidArgument"
    assert message.endswith("FIFO queues are not supported")


def test_failed_messages_return_and_end_in_the_dead_letter_queue(
    new_queue: Callable[..., Queue],
) -> None:
    queue = new_queue(visibility_s=3)
    queue.server.create_function("image-classifier-batch", NOTE_BATCH, Timeout=3)
    queue.allow_s3()
    queue.notify()
    queue.upload("a", "b", "bad")
    queue.map_to("image-classifier-batch")

    until(lambda: queue.depth(queue.dead_url) == 1)
    assert queue.results() == ["a-1", "b-1", "bad-1", "bad-2"]
    assert queue.depth(queue.url) == 0


def test_a_batch_is_collected_until_it_is_full(new_queue: Callable[..., Queue]) -> None:
    queue = new_queue()
    queue.server.create_function("image-classifier-window", NOTE_BATCH)
    queue.allow_s3()
    queue.notify()
    queue.server.next_message(queue.arn)  # the test event
    queue.map_to("image-classifier-window", BatchSize=12, MaximumBatchingWindowInSeconds=300)
    names = [f"{number:02}" for number in range(12)]
    queue.upload(*names)

    until(lambda: len(queue.results()) == 12)
    assert {queue.server.read(f"{queue.name}/results/{name}-1") for name in names} == {b"12"}


def test_a_filter_of_s3_events_lets_its_images_through(new_queue: Callable[..., Queue]) -> None:
    queue = new_queue()
    queue.server.create_function("image-classifier-filtered", NOTE_BATCH)
    queue.allow_s3()
    queue.notify()
    pattern = {"body": {"Records": {"s3": {"object": {"key": [{"suffix": ".jpg"}]}}}}}
    filters = {"Filters": [{"Pattern": json.dumps(pattern)}]}
    queue.map_to("image-classifier-filtered", FilterCriteria=filters)
    queue.upload("a.jpg", "a.txt")

    until(lambda: queue.results() == ["a.jpg-1"] and queue.depth(queue.url) == 0)

    assert queue.results() == ["a.jpg-1"]


def test_a_disabled_mapping_takes_nothing_until_it_is_enabled(new_queue: Callable[..., Queue]) -> None:
    queue = new_queue()
    queue.server.create_function("image-classifier-paused", NOTE_BATCH)
    queue.allow_s3()
    queue.notify()
    mapping = queue.map_to("image-classifier-paused", Enabled=False)
    queue.upload("a")
    functions = queue.server.client("lambda")

    assert functions.get_event_source_mapping(UUID=mapping)["State"] == "Disabled"
    assert queue.depth(queue.url) == 2
    functions.update_event_source_mapping(UUID=mapping, Enabled=True, ScalingConfig={"MaximumConcurrency": 2})

    until(lambda: queue.results() == ["a-1"])
    assert functions.get_event_source_mapping(UUID=mapping)["ScalingConfig"] == {"MaximumConcurrency": 2}


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        ({"BatchSize": 11}, "InvalidParameterValueException", "batch window in seconds must be greater than 0"),
        ({"BatchSize": 10_001}, "ValidationException", "less than or equal to 10000"),
        ({"MaximumBatchingWindowInSeconds": 301}, "ValidationException", "less than or equal to 300"),
        ({"ScalingConfig": {"MaximumConcurrency": 1001}}, "ValidationException", "less than or equal to 1000"),
        ({"FunctionResponseTypes": ["None"]}, "ValidationException", "ReportBatchItemFailures"),
        ({"StartingPosition": "LATEST"}, "InvalidParameterValueException", "Unsupported StartingPosition parameter"),
        ({"FilterCriteria": {"Filters": [{"Pattern": "text"}]}}, "InvalidParameterValueException", "filter pattern"),
        (
            {"FilterCriteria": {"Filters": [{"Pattern": '{"body": {"k": []}}'}]}},
            *("InvalidParameterValueException", "filter pattern"),
        ),
        ({"FunctionName": "image-classifier-none"}, "ResourceNotFoundException", "Function not found"),
        ({"EventSourceArn": "{arn}-none"}, "InvalidParameterValueException", "NonExistentQueue"),
    ],
)
def test_a_mapping_that_lambda_would_refuse_is_refused(
    new_queue: Callable[..., Queue], settings: dict[str, Any], code: str, words: str
) -> None:
    queue = new_queue()
    name = "image-classifier-mapped"
    if name not in [item["FunctionName"] for item in queue.server.client("lambda").list_functions()["Functions"]]:
        queue.server.create_function(name, NOTE_BATCH)
    request = {"EventSourceArn": "{arn}", "FunctionName": name, **settings}
    request["EventSourceArn"] = request["EventSourceArn"].format(arn=queue.arn)
    found, message = error_of(queue.server.client("lambda").create_event_source_mapping, **request)
    assert found == code
    assert words in message


def test_a_mapping_needs_rights_a_long_visibility_timeout_and_is_unique(
    new_queue: Callable[..., Queue],
) -> None:
    queue = new_queue(visibility_s=29)
    server, functions = queue.server, queue.server.client("lambda")
    server.create_function("image-classifier-mapping", NOTE_BATCH, Timeout=30)

    assert error_of(queue.map_to, "image-classifier-mapping")[1] == (
        "Queue visibility timeout: 29 seconds is less than Function timeout: 30 seconds"
    )
    functions.update_function_configuration(FunctionName="image-classifier-mapping", Timeout=29)
    queue.map_to("image-classifier-mapping")
    assert error_of(queue.map_to, "image-classifier-mapping")[0] == "ResourceConflictException"

    other = new_queue_without_rights(server)
    assert (
        "does not have permissions to call ReceiveMessage on SQS"
        in error_of(
            functions.create_event_source_mapping, EventSourceArn=other, FunctionName="image-classifier-mapping"
        )[1]
    )


def test_a_mapping_of_a_fifo_queue_has_no_window_and_small_batches(ministack: MiniStack) -> None:
    name = f"image-classifier-{uuid.uuid4().hex[:8]}.fifo"
    ministack.client("sqs").create_queue(QueueName=name, Attributes={"FifoQueue": "true"})
    arn = f"arn:aws:sqs:{clients.REGION}:{clients.ACCOUNT}:{name}"
    ministack.create_function("image-classifier-in-order", NOTE_BATCH)
    functions = ministack.client("lambda")
    request = {"EventSourceArn": arn, "FunctionName": "image-classifier-in-order"}

    create = functions.create_event_source_mapping
    assert "FIFO" in error_of(create, **request, BatchSize=11)[1]
    assert "FIFO" in error_of(create, **request, MaximumBatchingWindowInSeconds=1)[1]
    mapping = create(**request, BatchSize=10)["UUID"]
    update = functions.update_event_source_mapping
    assert "FIFO" in error_of(update, UUID=mapping, MaximumBatchingWindowInSeconds=1)[1]
    functions.delete_event_source_mapping(UUID=mapping)


def test_an_alias_and_its_function_may_both_be_mapped(new_queue: Callable[..., Queue]) -> None:
    queue = new_queue()
    queue.server.create_function("image-classifier-twice", NOTE_BATCH)
    queue.map_to("image-classifier-twice:live")
    queue.map_to("image-classifier-twice")
    assert error_of(queue.map_to, "image-classifier-twice:live")[0] == "ResourceConflictException"


def new_queue_without_rights(server: MiniStack) -> str:
    name = f"others-{uuid.uuid4().hex[:8]}"  # the function's role may read the queues of image classifiers alone
    server.client("sqs").create_queue(QueueName=name)
    return f"arn:aws:sqs:{clients.REGION}:{clients.ACCOUNT}:{name}"


def test_events_for_a_queue_follow_the_fault_plan(new_queue: Callable[..., Queue]) -> None:
    queue = new_queue()
    queue.allow_s3()
    queue.notify()
    queue.server.next_message(queue.arn)
    where = {"QueueArn": queue.arn}
    queue.server.plan(
        {"fault": "s3_event", "do": "lose", "where": {**where, "Key": "*lost"}},
        {"fault": "s3_event", "do": "repeat", "where": {**where, "Key": "*twice"}},
        {"fault": "s3_event", "do": "reorder", "seconds": 60, "where": {**where, "Key": "*overtaken"}},
    )
    queue.upload("lost", "twice", "overtaken", "last")
    queue.server.fault_plan.unlink()

    events = [json.loads(queue.server.next_message(queue.arn)) for _ in range(4)]
    names = [event["Records"][0]["s3"]["object"]["key"].rsplit("/", 1)[-1] for event in events]
    assert names == ["twice", "twice", "last", "overtaken"]
    assert queue.depth(queue.url) == 0


def test_failed_events_are_counted_and_embedded_metrics_raise_alarms(ministack: MiniStack) -> None:
    source = """
import json
def handler(event, context):
    directive = {"Namespace": "ImageClassifier", "Dimensions": [["classifier"]],
                 "Metrics": [{"Name": "images", "Unit": "Count"}]}
    print(json.dumps({"_aws": {"Timestamp": 0, "CloudWatchMetrics": [directive]}, "classifier": "digits", "images": 3}))
    raise ValueError("no")
"""
    ministack.create_function("image-classifier-measured", source)
    cloudwatch = ministack.client("cloudwatch")

    cloudwatch.put_metric_alarm(
        AlarmName="images",
        Namespace="ImageClassifier",
        MetricName="images",
        Dimensions=[{"Name": "classifier", "Value": "digits"}],
        Statistic="Maximum",
        Period=300,
        EvaluationPeriods=1,
        Threshold=3,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
    )
    ministack.client("lambda").invoke(FunctionName="image-classifier-measured", InvocationType="Event")

    def errors() -> float:
        now = datetime.now(UTC)
        found = cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="Errors",
            Dimensions=[{"Name": "FunctionName", "Value": "image-classifier-measured"}],
            StartTime=now - timedelta(minutes=10),
            EndTime=now + timedelta(minutes=1),
            Period=3600,
            Statistics=["Sum"],
        )
        return sum(point["Sum"] for point in found["Datapoints"])

    def state() -> str:
        # Alarms are evaluated once a minute, and when a metric comes.
        cloudwatch.put_metric_data(Namespace="tests", MetricData=[{"MetricName": "any", "Value": 1}])
        return str(cloudwatch.describe_alarms(AlarmNames=["images"])["MetricAlarms"][0]["StateValue"])

    until(lambda: errors() == 3)
    assert until(lambda: state() == "ALARM")


def test_a_deleted_queue_is_not_created_again_at_once(ministack: MiniStack) -> None:
    client = ministack.client("sqs")
    client.delete_queue(QueueUrl=client.create_queue(QueueName="short-lived")["QueueUrl"])

    with pytest.raises(ClientError, match=r"QueueDeletedRecently.*You must wait 60 seconds"):
        client.create_queue(QueueName="short-lived")
