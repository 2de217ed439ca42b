"""Checks that stored data survives a kill of MiniStack, and that no process is left."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.waiting import until

from local_aws import stack
from local_aws.errors import StackError

if TYPE_CHECKING:
    from conftest import MiniStack


def test_function_alias_notification_and_objects_survive_a_kill(new_ministack: MiniStack) -> None:
    server = new_ministack
    arn = server.create_function("image-classifier-survivor", server.copy_event)
    server.client("lambda").put_function_event_invoke_config(
        FunctionName="image-classifier-survivor", Qualifier="live", MaximumRetryAttempts=1
    )
    server.notify(("survivor/incoming/", arn))
    s3 = server.client("s3")
    for body in (b"old", b"new"):
        s3.put_object(Bucket=server.bucket, Key="survivor/object", Body=body)
    s3.put_object(Bucket=server.bucket, Key="survivor/deleted", Body=b"")
    s3.delete_object(Bucket=server.bucket, Key="survivor/deleted")
    before = s3.list_object_versions(Bucket=server.bucket, Prefix="survivor/")

    server.kill()
    server.start()

    after = server.client("s3").list_object_versions(Bucket=server.bucket, Prefix="survivor/")
    for kind in ("Versions", "DeleteMarkers"):
        wanted = [(item["Key"], item["VersionId"], item["IsLatest"]) for item in before[kind]]
        assert [(item["Key"], item["VersionId"], item["IsLatest"]) for item in after[kind]] == wanted
    functions = server.client("lambda")
    assert functions.get_function(FunctionName="image-classifier-survivor")["Configuration"]["State"] == "Active"
    config = functions.get_function_event_invoke_config(FunctionName="image-classifier-survivor", Qualifier="live")
    assert config["MaximumRetryAttempts"] == 1
    server.client("s3").put_object(Bucket=server.bucket, Key="survivor/incoming/a", Body=b"image")
    until(lambda: server.keys("survivor/results/"))
    assert json.loads(server.read("survivor/results/a"))["arn"] == arn


@pytest.mark.parametrize(
    ("status", "told"), [("CREATE_IN_PROGRESS", "deleted and created again"), ("UPDATE_IN_PROGRESS", "updated")]
)
def test_a_stack_saved_in_the_middle_of_an_operation_is_deployed_again(
    new_ministack: MiniStack, caplog: pytest.LogCaptureFixture, status: str, told: str
) -> None:
    server = new_ministack
    server.stop()
    file = server.state / "state" / "cloudformation.json"
    file.write_text(file.read_text().replace('"StackStatus": "CREATE_COMPLETE"', f'"StackStatus": "{status}"'))
    server.start()

    with caplog.at_level("INFO", logger="local_aws"):
        deployed = stack.deploy(server.url)

    assert told in caplog.text
    assert deployed.keys() == server.settings.keys()
    assert stack.deploy(server.url) == deployed


def test_a_stack_whose_creation_a_kill_interrupts_is_created_again(new_ministack: MiniStack) -> None:
    server = new_ministack
    template = json.dumps(
        {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "of-a-stack"}}}}
    )
    server.client("cloudformation").create_stack(StackName="killed", TemplateBody=template)

    server.kill()
    server.start()

    cloudformation = server.client("cloudformation")
    cloudformation.delete_stack(StackName="killed")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="killed", WaiterConfig={"Delay": 1})
    cloudformation.create_stack(StackName="killed", TemplateBody=template)
    cloudformation.get_waiter("stack_create_complete").wait(StackName="killed", WaiterConfig={"Delay": 1})
    assert server.client("s3").head_bucket(Bucket="of-a-stack")


def test_a_bucket_without_its_stack_is_replaced_while_it_is_empty(new_ministack: MiniStack) -> None:
    server = new_ministack
    delete_stack(server)
    stack.deploy(server.url)
    server.client("s3").put_object(Bucket=server.bucket, Key="image", Body=b"")
    delete_stack(server)

    with pytest.raises(StackError, match="was deleted, and its bucket image-classifier-000000000000-us-east-1 has obj"):
        stack.deploy(server.url)


def delete_stack(server: MiniStack) -> None:
    cloudformation = server.client("cloudformation")
    cloudformation.delete_stack(StackName=stack.STACK_NAME)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack.STACK_NAME, WaiterConfig={"Delay": 1})


def test_events_that_wait_or_are_worked_on_survive_a_kill(new_ministack: MiniStack) -> None:
    server = new_ministack
    source = server.copy_event.replace("    record =", "    __import__('time').sleep(0.3)\n    record =")
    server.notify(("waiting/incoming/", server.create_function("image-classifier-waiting", source)))
    for number in range(8):
        server.client("s3").put_object(Bucket=server.bucket, Key=f"waiting/incoming/{number}", Body=b"")
    until(lambda: server.keys("waiting/results/"))

    server.kill()
    assert len(list(server.state.glob("s3/**/waiting/results/?"))) < 8
    server.start()

    until(lambda: len(server.keys("waiting/results/")) == 8)


def test_uploads_that_wait_in_a_queue_survive_a_kill(new_ministack: MiniStack) -> None:
    server = new_ministack
    sqs, s3 = server.client("sqs"), server.client("s3")
    url = sqs.create_queue(QueueName="image-classifier-waiting")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "*", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    notified = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}
    configuration = {"QueueConfigurations": [notified]}
    s3.put_bucket_notification_configuration(Bucket=server.bucket, NotificationConfiguration=configuration)
    sqs.purge_queue(QueueUrl=url)  # of the test event; with it the queue is saved
    for number in range(5):
        s3.put_object(Bucket=server.bucket, Key=f"queued/{number}", Body=b"")

    server.kill()
    server.start()

    messages: dict[str, str] = {}
    until(lambda: len(messages.update(received(server, url)) or messages) == 5)
    assert sorted(messages.values()) == [f"queued/{number}" for number in range(5)]


def received(server: MiniStack, url: str) -> dict[str, str]:
    """The key of each message that a queue gives, by the message's id."""
    found = server.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return {one["MessageId"]: json.loads(one["Body"])["Records"][0]["s3"]["object"]["key"] for one in found}


def test_no_process_is_left_after_a_kill_even_one_that_hangs(new_ministack: MiniStack) -> None:
    server = new_ministack
    source = "def handler(event, context):\n    print('in the handler', flush=True)\n    while True: pass"
    server.create_function("image-classifier-hangs", source)
    server.client("lambda").invoke(FunctionName="image-classifier-hangs", InvocationType="Event")
    until(server.function_processes)

    server.kill()

    until(lambda: not server.function_processes())


def test_a_polite_stop_leaves_no_process_and_forgets_nothing(new_ministack: MiniStack) -> None:
    server = new_ministack
    source = "def handler(event, context): return 'done'"
    server.create_function("image-classifier-polite", source)
    assert server.invoke("image-classifier-polite") == ("done", None)
    assert server.function_processes()

    assert server.stop() == 0

    assert not server.function_processes()
    server.start()
    assert server.invoke("image-classifier-polite") == ("done", None)


def test_messages_and_logs_survive_a_kill(new_ministack: MiniStack) -> None:
    server = new_ministack
    server.create_function("image-classifier-logs", "def handler(event, context): print('seen')")
    server.invoke("image-classifier-logs")
    url = server.client("sqs").get_queue_url(
        QueueName=server.settings["IMAGE_CLASSIFIER_FAILURE_QUEUE_ARN"].rsplit(":", 1)[-1]
    )["QueueUrl"]
    server.client("sqs").send_message(QueueUrl=url, MessageBody="kept")
    logs = server.state / "state" / "cloudwatch_logs.json"
    until(lambda: logs.exists() and "seen" in logs.read_text())

    server.kill()
    server.start()

    assert server.client("sqs").receive_message(QueueUrl=url)["Messages"][0]["Body"] == "kept"
    events = server.client("logs").filter_log_events(logGroupName="/aws/lambda/image-classifier-logs")["events"]
    assert "seen" in [event["message"] for event in events]
