"""Checks that the upload trigger is added, changed and removed without changing other notifications."""

import json

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from image_classifier.connect.notification import (
    MOST_TRIES,
    UploadTrigger,
    delete_upload_trigger,
    ensure_upload_trigger,
    other_notifications,
)
from image_classifier.contracts.errors import FunctionError, ResourceBusyError

SESSION = boto3.Session("testing", "testing", region_name="us-east-1")
NAME = "image-classifier-pets"
ALIAS_ARN = f"arn:aws:lambda:us-east-1:123456789012:function:{NAME}:live"
POLICY_OF = {"FunctionName": NAME, "Qualifier": "live"}
PERMISSION = {
    "FunctionName": NAME,
    "StatementId": NAME,
    "Action": "lambda:InvokeFunction",
    "Principal": "s3.amazonaws.com",
    "SourceArn": "arn:aws:s3:::pictures",
    "SourceAccount": "123456789012",
    "Qualifier": "live",
}
OURS = {
    "Id": NAME,
    "LambdaFunctionArn": ALIAS_ARN,
    "Events": ["s3:ObjectCreated:*"],
    "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "pets/incoming/"}]}},
}
OTHERS = {
    "TopicConfigurations": [
        {"Id": "t", "TopicArn": "arn:aws:sns:us-east-1:123456789012:t", "Events": ["s3:ObjectRemoved:*"]}
    ],
    "QueueConfigurations": [
        {
            "Id": "q",
            "QueueArn": "arn:aws:sqs:us-east-1:123456789012:q",
            "Events": ["s3:ObjectCreated:Put"],
            "Filter": {"Key": {"FilterRules": [{"Name": "Prefix", "Value": "letters/"}]}},
        }
    ],
    "EventBridgeConfiguration": {},
}
OTHER_FUNCTION = {
    "Id": "thumbnails",
    "LambdaFunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:thumbnails",
    "Events": ["s3:ObjectCreated:*"],
    "Filter": {"Key": {"FilterRules": [{"Name": "Prefix", "Value": "pets2/incoming/"}]}},
}

UNCHECKED = {"SkipDestinationValidation": True}  # another's destination may be gone, which must not keep our entry


def policy(**changes):
    statement = {
        "Sid": NAME,
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": ALIAS_ARN,
        "Condition": {
            "StringEquals": {"AWS:SourceAccount": "123456789012"},
            "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::pictures"},
        },
    }
    return {"Policy": json.dumps({"Statement": [{"Sid": "another"}, {**statement, **changes}]})}


class Aws:
    """Stubbed clients: exactly the calls of a test are allowed, in order, and each must fit botocore's model."""

    def __init__(self):
        self.functions, self.s3 = SESSION.client("lambda"), SESSION.client("s3")
        self.of_functions, self.of_s3 = Stubber(self.functions), Stubber(self.s3)
        self.of_functions.activate()
        self.of_s3.activate()

    def has_permission(self, **changes):
        self.of_functions.add_response("get_policy", policy(**changes), POLICY_OF)

    def has_no_permission(self):
        self.of_functions.add_client_error("get_policy", "ResourceNotFoundException", expected_params=POLICY_OF)

    def permits(self):
        self.of_functions.add_response("add_permission", {}, PERMISSION)

    def reads(self, **configuration):
        self.of_s3.add_response("get_bucket_notification_configuration", configuration, {"Bucket": "pictures"})

    def writes(self, *, error=None, options=None, **configuration):
        request = {"Bucket": "pictures", "NotificationConfiguration": configuration, **(options or {})}
        if error:
            code, message = error
            name = "put_bucket_notification_configuration"
            self.of_s3.add_client_error(name, code, message, expected_params=request)
        else:
            self.of_s3.add_response("put_bucket_notification_configuration", {}, request)

    def ensure(self):
        return ensure_upload_trigger(
            self.functions,
            self.s3,
            bucket="pictures",
            trigger=UploadTrigger(id=NAME, prefix="pets/incoming/", function_arn=ALIAS_ARN),
        )

    def delete(self):
        return delete_upload_trigger(self.functions, self.s3, bucket="pictures", classifier="pets")


@pytest.fixture
def aws():
    aws = Aws()
    yield aws
    aws.of_functions.assert_no_pending_responses()
    aws.of_s3.assert_no_pending_responses()


def test_the_permission_comes_before_the_notification(aws):
    aws.has_no_permission()
    aws.permits()
    aws.reads()
    aws.writes(LambdaFunctionConfigurations=[OURS])
    aws.reads(LambdaFunctionConfigurations=[OURS])
    calls = []
    for client in (aws.functions, aws.s3):
        client.meta.events.register("before-parameter-build.*.*", lambda model, **_: calls.append(model.name))

    assert aws.ensure() == "created"

    assert calls.index("AddPermission") < calls.index("PutBucketNotificationConfiguration")


def test_a_second_call_changes_nothing(aws):
    aws.has_permission()
    aws.reads(LambdaFunctionConfigurations=[OURS], **OTHERS)

    assert aws.ensure() == "unchanged"


def test_s3_spells_the_prefix_rule_as_it_likes(aws):
    rules = [{"Name": "Prefix", "Value": "pets/incoming/"}]
    aws.has_permission()
    aws.reads(LambdaFunctionConfigurations=[{**OURS, "Filter": {"Key": {"FilterRules": rules}}}])

    assert aws.ensure() == "unchanged"


def test_everybody_elses_notifications_are_put_back_as_they_were(aws):
    aws.has_permission()
    aws.reads(LambdaFunctionConfigurations=[OTHER_FUNCTION], **OTHERS)
    aws.writes(LambdaFunctionConfigurations=[OTHER_FUNCTION, OURS], **OTHERS)
    aws.reads(LambdaFunctionConfigurations=[OTHER_FUNCTION, OURS], **OTHERS)

    assert aws.ensure() == "created"


def test_our_own_entry_is_replaced(aws):
    aws.has_permission()
    aws.reads(LambdaFunctionConfigurations=[{**OURS, "LambdaFunctionArn": f"{ALIAS_ARN}2"}, OTHER_FUNCTION])
    aws.writes(LambdaFunctionConfigurations=[OTHER_FUNCTION, OURS])
    aws.reads(LambdaFunctionConfigurations=[OTHER_FUNCTION, OURS])

    assert aws.ensure() == "updated"


def test_an_entry_that_another_writer_overwrote_is_written_again(aws, pauses):
    aws.has_permission()
    aws.reads()
    aws.writes(LambdaFunctionConfigurations=[OURS])
    aws.reads(LambdaFunctionConfigurations=[OTHER_FUNCTION])  # whose writer had read before we wrote
    aws.writes(LambdaFunctionConfigurations=[OTHER_FUNCTION, OURS])
    aws.reads(LambdaFunctionConfigurations=[OTHER_FUNCTION, OURS])

    assert aws.ensure() == "created"

    assert len(pauses) == 2


def test_writers_that_never_agree_end_in_an_error(aws):
    aws.has_permission()
    for _ in range(MOST_TRIES):
        aws.reads()
        aws.writes(LambdaFunctionConfigurations=[OURS])

    with pytest.raises(ResourceBusyError, match="bucket pictures 8 times"):
        aws.ensure()


def test_a_permission_that_s3_does_not_have_yet_is_waited_for(aws):
    invalid = ("InvalidArgument", "Unable to validate the following destination configurations")
    aws.has_no_permission()
    aws.permits()
    aws.reads()
    aws.writes(error=invalid, LambdaFunctionConfigurations=[OURS])
    aws.reads()
    aws.writes(LambdaFunctionConfigurations=[OURS])
    aws.reads(LambdaFunctionConfigurations=[OURS])

    assert aws.ensure() == "created"


def test_another_change_at_the_same_moment_is_waited_for(aws):
    aborted = ("OperationAborted", "A conflicting conditional operation is currently in progress")
    aws.has_permission()
    aws.reads()
    aws.writes(error=aborted, LambdaFunctionConfigurations=[OURS])
    aws.reads()
    aws.writes(LambdaFunctionConfigurations=[OURS])
    aws.reads(LambdaFunctionConfigurations=[OURS])

    assert aws.ensure() == "created"


def test_a_notification_that_may_not_be_written_is_not_tried_again(aws):
    aws.has_permission()
    aws.reads()
    aws.writes(error=("AccessDenied", "no"), LambdaFunctionConfigurations=[OURS])

    with pytest.raises(ClientError, match="AccessDenied"):
        aws.ensure()


def test_a_permission_that_may_not_be_given_is_an_error(aws):
    aws.has_no_permission()
    aws.of_functions.add_client_error("add_permission", "AccessDeniedException")

    with pytest.raises(ClientError, match="AccessDeniedException"):
        aws.ensure()


def test_a_lasting_refusal_names_the_others_whose_destination_may_be_gone(aws):
    invalid = ("InvalidArgument", "Unable to validate the following destination configurations")
    aws.has_permission()
    for _ in range(MOST_TRIES):
        aws.reads(LambdaFunctionConfigurations=[OTHER_FUNCTION])
        aws.writes(error=invalid, LambdaFunctionConfigurations=[OTHER_FUNCTION, OURS])

    with pytest.raises(FunctionError, match=r"thumbnails to arn:aws:lambda:us-east-1:123456789012:function:thumbnails"):
        aws.ensure()


@pytest.mark.parametrize("prefix", ["", "pets/", "pets/incoming/", "pets/incoming/cats/"])
@pytest.mark.parametrize("kind", ["Topic", "Queue", "LambdaFunction"])
def test_a_notification_that_overlaps_is_named_and_nothing_is_written(aws, prefix, kind):
    rules = [{"Name": "Prefix", "Value": prefix}] if prefix else [{"Name": "Suffix", "Value": ".jpg"}]
    other = {
        "Id": "mine",
        f"{kind}Arn": f"arn:aws:x:us-east-1:123456789012:{kind}",
        "Events": ["s3:ObjectCreated:Put"],
        "Filter": {"Key": {"FilterRules": rules}},
    }
    aws.has_permission()
    aws.reads(**{f"{kind}Configurations": [other]})

    with pytest.raises(FunctionError, match=f"mine of {kind}Configurations, to arn:aws:x"):
        aws.ensure()


@pytest.mark.parametrize(
    "change",
    [
        {"Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::pictures"}}},  # any account's bucket of that name
        {"Condition": {}},
        {"Effect": "Deny"},
        {"Principal": "*"},
    ],
)
def test_a_permission_that_says_something_else_is_replaced(aws, change):
    aws.has_permission(**change)
    aws.of_functions.add_response("remove_permission", {}, {**POLICY_OF, "StatementId": NAME})
    aws.permits()
    aws.reads(LambdaFunctionConfigurations=[OURS])

    assert aws.ensure() == "updated"


def test_a_permission_that_another_run_gave_at_the_same_moment_is_enough(aws):
    aws.has_no_permission()
    aws.of_functions.add_client_error("add_permission", "ResourceConflictException")
    aws.has_permission()
    aws.reads(LambdaFunctionConfigurations=[OURS])

    assert aws.ensure() == "updated"


def test_deleting_takes_out_our_entry_alone_and_the_permission(aws):
    aws.reads(LambdaFunctionConfigurations=[OURS, OTHER_FUNCTION], **OTHERS)
    aws.writes(options=UNCHECKED, LambdaFunctionConfigurations=[OTHER_FUNCTION], **OTHERS)
    aws.reads(LambdaFunctionConfigurations=[OTHER_FUNCTION], **OTHERS)
    aws.of_functions.add_response("remove_permission", {}, {**POLICY_OF, "StatementId": NAME})

    assert aws.delete()


def test_deleting_the_last_entry_leaves_an_empty_configuration(aws):
    aws.reads(LambdaFunctionConfigurations=[OURS])
    aws.writes(options=UNCHECKED)
    aws.reads()
    aws.of_functions.add_response("remove_permission", {}, {**POLICY_OF, "StatementId": NAME})

    assert aws.delete()


@pytest.mark.parametrize("bucket_exists", [True, False])
def test_deleting_what_is_not_there_changes_nothing(aws, bucket_exists):
    if bucket_exists:
        aws.reads(LambdaFunctionConfigurations=[OTHER_FUNCTION])
    else:
        aws.of_s3.add_client_error("get_bucket_notification_configuration", "NoSuchBucket")
    aws.of_functions.add_client_error("remove_permission", "ResourceNotFoundException")

    assert not aws.delete()


def test_others_are_reported_by_name_and_destination(aws):
    aws.reads(LambdaFunctionConfigurations=[OURS, OTHER_FUNCTION], **OTHERS)

    assert other_notifications(aws.s3, bucket="pictures", trigger_id=NAME) == [
        "t to arn:aws:sns:us-east-1:123456789012:t",
        "q to arn:aws:sqs:us-east-1:123456789012:q",
        "thumbnails to arn:aws:lambda:us-east-1:123456789012:function:thumbnails",
        "all events to EventBridge",
    ]
