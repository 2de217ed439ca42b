"""Checks asynchronous invocations: retries, destinations, dead-letter queues, and what Lambda refuses of them."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from tests.waiting import until

from local_aws import clients

if TYPE_CHECKING:
    from conftest import MiniStack

FAILING = """
def handler(event, context):
    print("attempt", context.aws_request_id)
    raise ValueError("no such image")
"""


def new_role(server: MiniStack, *actions: str) -> str:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam, name = server.client("iam"), f"role-{uuid.uuid4().hex[:8]}"
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    allow(server, arn, *actions)
    return arn


def allow(server: MiniStack, role_arn: str, *actions: str) -> None:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    server.client("iam").put_role_policy(RoleName=role_arn.rsplit("/", 1)[-1], PolicyName="all", PolicyDocument=policy)


def new_queue(server: MiniStack) -> tuple[str, str]:
    name = f"failures-{uuid.uuid4().hex[:8]}"
    url: str = server.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    return url, f"arn:aws:sqs:{clients.REGION}:{clients.ACCOUNT}:{name}"


def new_function(server: MiniStack, role_arn: str, **settings: Any) -> str:
    name = f"failing-{uuid.uuid4().hex[:8]}"
    server.create_function(name, FAILING, Role=role_arn, **settings)
    return name


def error_of(server: MiniStack, name: str, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        server.client("lambda").put_function_event_invoke_config(FunctionName=name, **request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_every_attempt_and_the_record_have_one_request_id(ministack: MiniStack) -> None:
    _, queue_arn = new_queue(ministack)
    name = new_function(ministack, new_role(ministack, "sqs:*", "logs:*"))
    ministack.client("lambda").put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=1, DestinationConfig={"OnFailure": {"Destination": queue_arn}}
    )
    ministack.client("lambda").invoke(FunctionName=name, InvocationType="Event")

    record = json.loads(ministack.next_message(queue_arn))

    request_id = record["requestContext"]["requestId"]
    assert record["responsePayload"]["requestId"] == request_id
    assert ministack.log_lines(name).count(f"attempt {request_id}") == 2


def test_a_dead_letter_has_the_event_and_aws_attributes(ministack: MiniStack) -> None:
    url, queue_arn = new_queue(ministack)
    role = new_role(ministack, "sqs:SendMessage", "logs:*")
    name = new_function(ministack, role, DeadLetterConfig={"TargetArn": queue_arn})
    ministack.client("lambda").put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    ministack.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b'{"image": "a.jpg"}')

    sqs = ministack.client("sqs")
    (message,) = until(lambda: sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages"))

    assert json.loads(message["Body"]) == {"image": "a.jpg"}
    attributes = {key: value["StringValue"] for key, value in message["MessageAttributes"].items()}
    assert f"attempt {attributes.pop('RequestID')}" in ministack.log_lines(name)
    assert attributes == {"ErrorCode": "200", "ErrorMessage": "no such image"}
    assert message["MessageAttributes"]["ErrorCode"]["DataType"] == "Number"


def test_a_record_that_the_role_may_not_send_is_dropped(ministack: MiniStack) -> None:
    _, first_arn = new_queue(ministack)
    url, queue_arn = new_queue(ministack)
    role = new_role(ministack, "sqs:*", "logs:*")
    name = new_function(ministack, role, DeadLetterConfig={"TargetArn": first_arn})
    ministack.client("lambda").put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": queue_arn}}
    )
    statement = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": first_arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    ministack.client("iam").put_role_policy(RoleName=role.split("/")[-1], PolicyName="all", PolicyDocument=policy)
    ministack.client("lambda").invoke(FunctionName=name, InvocationType="Event")

    ministack.next_message(first_arn)  # the dead letter is sent after the record

    found = ministack.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    assert found["Attributes"]["ApproximateNumberOfMessages"] == "0"


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"MaximumRetryAttempts": 3}, "less than or equal to 2"),
        ({"MaximumEventAgeInSeconds": 21_601}, "less than or equal to 21600"),
    ],
)
def test_retry_rules_outside_lambdas_limits_are_refused(
    ministack: MiniStack, rules: dict[str, int], words: str
) -> None:
    name = new_function(ministack, new_role(ministack, "logs:*"))
    code, message = error_of(ministack, name, **rules)
    assert code == "ValidationException"
    assert words in message


def test_a_destination_needs_the_roles_permission(ministack: MiniStack) -> None:
    _, queue_arn = new_queue(ministack)
    name = new_function(ministack, new_role(ministack, "logs:*"))
    code, message = error_of(ministack, name, DestinationConfig={"OnSuccess": {"Destination": queue_arn}})
    assert code == "InvalidParameterValueException"
    assert message.endswith(f"does not have permissions to call SendMessage on {queue_arn}")


def test_a_function_is_no_destination_of_itself(ministack: MiniStack) -> None:
    name = new_function(ministack, new_role(ministack, "*"))
    arn = f"arn:aws:lambda:{clients.REGION}:{clients.ACCOUNT}:function:{name}"
    own = error_of(ministack, name, DestinationConfig={"OnFailure": {"Destination": arn}})
    absent = error_of(ministack, name, DestinationConfig={"OnFailure": {"Destination": f"{arn}-none"}})
    assert own[1] == "You can't specify the function as a destination for itself."
    assert absent[1] == f"The destination ARN {arn}-none is invalid."


def test_a_dead_letter_queue_needs_the_roles_permission(ministack: MiniStack) -> None:
    _, queue_arn = new_queue(ministack)
    role, words = new_role(ministack, "logs:*"), "does not have permissions to call SendMessage on SQS"
    with pytest.raises(ClientError, match=words):
        new_function(ministack, role, DeadLetterConfig={"TargetArn": queue_arn})
    name = new_function(ministack, role)
    with pytest.raises(ClientError, match=words):
        ministack.client("lambda").update_function_configuration(
            FunctionName=name, DeadLetterConfig={"TargetArn": queue_arn}
        )
