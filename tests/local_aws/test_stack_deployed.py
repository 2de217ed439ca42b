"""Checks what CloudFormation makes of the template, and of the bucket properties that MiniStack drops."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.waiting import until

from local_aws import stack

if TYPE_CHECKING:
    from conftest import MiniStack

SETTINGS = {
    "IMAGE_CLASSIFIER_BUCKET",
    "IMAGE_CLASSIFIER_SAGEMAKER_ROLE_ARN",
    "IMAGE_CLASSIFIER_HOSTING_ROLE_ARN",
    "IMAGE_CLASSIFIER_PREPARATION_ROLE_ARN",
    "IMAGE_CLASSIFIER_FUNCTION_ROLE_ARN",
    "IMAGE_CLASSIFIER_FAILURE_QUEUE_ARN",
    "IMAGE_CLASSIFIER_FUNCTION_RUNTIME",
    "IMAGE_CLASSIFIER_FUNCTION_ARCHITECTURE",
}


def test_the_outputs_are_the_settings(ministack: MiniStack) -> None:
    assert set(ministack.settings) == SETTINGS


def test_deploying_again_changes_nothing(ministack: MiniStack, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="local_aws"):
        assert stack.deploy(ministack.url) == ministack.settings
    assert caplog.messages == []


def test_the_templates_alarms_watch_the_failure_queue_and_the_functions(ministack: MiniStack) -> None:
    alarms = ministack.client("cloudwatch").describe_alarms()["MetricAlarms"]

    queue = ministack.settings["IMAGE_CLASSIFIER_FAILURE_QUEUE_ARN"].rpartition(":")[2]
    ours = [alarm for alarm in alarms if alarm["AlarmName"].startswith(f"{stack.STACK_NAME}-")]
    watched = {alarm["MetricName"]: alarm.get("Dimensions", []) for alarm in ours}
    assert watched == {
        "ApproximateNumberOfMessagesVisible": [{"Name": "QueueName", "Value": queue}],
        "Errors": [],
        "Throttles": [],
        "DestinationDeliveryFailures": [],
    }


def test_the_templates_alarms_go_off(new_ministack: MiniStack) -> None:
    """The depth of a queue is recorded once a minute, as on AWS; no event of a function without concurrency runs."""
    server = new_ministack
    queue = server.settings["IMAGE_CLASSIFIER_FAILURE_QUEUE_ARN"]
    sqs, functions, cloudwatch = (server.client(service) for service in ("sqs", "lambda", "cloudwatch"))
    for name in ("image-classifier-fails", "image-classifier-throttled"):
        server.create_function(name, "def handler(event, context):\n    raise ValueError('no')")
    functions.put_function_event_invoke_config(
        FunctionName="image-classifier-fails",
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": queue}},
    )
    statement = {"Effect": "Deny", "Action": "sqs:SendMessage", "Resource": queue}
    server.client("iam").put_role_policy(
        RoleName=server.settings["IMAGE_CLASSIFIER_FUNCTION_ROLE_ARN"].rpartition("/")[2],
        PolicyName="no-failures",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    functions.put_function_concurrency(FunctionName="image-classifier-throttled", ReservedConcurrentExecutions=0)

    url = sqs.get_queue_url(QueueName=queue.rpartition(":")[2])["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    for name in ("image-classifier-fails", "image-classifier-throttled"):
        functions.invoke(FunctionName=name, InvocationType="Event")

    def gone_off() -> set[str]:
        found = cloudwatch.describe_alarms(StateValue="ALARM")["MetricAlarms"]
        return {alarm["MetricName"] for alarm in found if alarm["AlarmName"].startswith(f"{stack.STACK_NAME}-")}

    every = {"ApproximateNumberOfMessagesVisible", "Errors", "Throttles", "DestinationDeliveryFailures"}
    until(lambda: gone_off() == every, seconds=150, what="the four alarms")
    sqs.purge_queue(QueueUrl=url)


def test_the_bucket_has_every_property_of_the_template(ministack: MiniStack) -> None:
    s3, bucket = ministack.client("s3"), {"Bucket": ministack.bucket}

    rules = s3.get_bucket_lifecycle_configuration(**bucket)["Rules"]
    [encryption] = s3.get_bucket_encryption(**bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    ownership = s3.get_bucket_ownership_controls(**bucket)["OwnershipControls"]["Rules"]

    assert rules == [
        {
            "ID": "old-versions",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
            "Expiration": {"ExpiredObjectDeleteMarker": True},
        },
        {
            "ID": "broken-uploads",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        },
    ]
    assert encryption == {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
        "BucketKeyEnabled": True,
    }
    assert ownership == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert s3.get_bucket_tagging(**bucket)["TagSet"] == [{"Key": "image-classifier", "Value": "shared"}]
    assert s3.get_bucket_versioning(**bucket)["Status"] == "Enabled"
    assert set(s3.get_public_access_block(**bucket)["PublicAccessBlockConfiguration"].values()) == {True}


def bucket_template(**properties: Any) -> str:
    resource = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "properties-of-a-bucket", **properties}}
    return json.dumps({"Resources": {"Bucket": resource}})


def test_an_update_changes_and_removes_properties_of_a_bucket(ministack: MiniStack) -> None:
    cloudformation, s3 = ministack.client("cloudformation"), ministack.client("s3")
    bucket = {"Bucket": "properties-of-a-bucket"}
    days = {"Id": "a", "Status": "Enabled", "Prefix": "tmp/", "ExpirationInDays": 1}
    cloudformation.create_stack(
        StackName="bucket",
        TemplateBody=bucket_template(
            Tags=[{"Key": "a", "Value": "1"}], OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
        ),
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName="bucket", WaiterConfig={"Delay": 1})

    ownership = s3.get_bucket_ownership_controls(**bucket)["OwnershipControls"]["Rules"]
    assert ownership == [{"ObjectOwnership": "ObjectWriter"}]
    assert s3.get_bucket_tagging(**bucket)["TagSet"] == [{"Key": "a", "Value": "1"}]

    cloudformation.update_stack(
        StackName="bucket", TemplateBody=bucket_template(LifecycleConfiguration={"Rules": [days]})
    )
    cloudformation.get_waiter("stack_update_complete").wait(StackName="bucket", WaiterConfig={"Delay": 1})

    [rule] = s3.get_bucket_lifecycle_configuration(**bucket)["Rules"]
    assert (rule["ID"], rule["Filter"], rule["Expiration"]) == ("a", {"Prefix": "tmp/"}, {"Days": 1})
    with pytest.raises(s3.exceptions.ClientError, match="NoSuchTagSet"):
        s3.get_bucket_tagging(**bucket)


def test_a_creation_that_is_rolled_back_leaves_no_bucket(ministack: MiniStack) -> None:
    """The stack that is created next may have the same name of a bucket."""
    cloudformation, s3 = ministack.client("cloudformation"), ministack.client("s3")
    queue = "{Type: AWS::SQS::Queue, DependsOn: Bucket, Properties: {DelaySeconds: 901}}"  # at most 900
    cloudformation.create_stack(
        StackName="rolled-back",
        TemplateBody=stack.TEMPLATE.read_text().replace("Resources:", f"Resources:\n  Refused: {queue}", 1),
        Parameters=[{"ParameterKey": "BucketName", "ParameterValue": "rolled-back"}],
        Capabilities=["CAPABILITY_IAM"],
    )

    def status() -> str:
        return str(cloudformation.describe_stacks(StackName="rolled-back")["Stacks"][0]["StackStatus"])

    assert until(lambda: status() == "ROLLBACK_COMPLETE")
    events = cloudformation.describe_stack_events(StackName="rolled-back")["StackEvents"]
    of_bucket = [event["ResourceStatus"] for event in events if event["LogicalResourceId"] == "Bucket"]
    assert {"CREATE_COMPLETE", "DELETE_COMPLETE"} <= set(of_bucket)
    assert "rolled-back" not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
