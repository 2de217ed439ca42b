"""Checks that the stack is created, updated or unchanged, and that an error has CloudFormation's reason."""

from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import Stubber

from image_classifier.account.stack import STACK_NAME, StackRequest, delete_stack, deploy_stack, settings_of
from image_classifier.contracts.errors import StackError

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ABSENT = {"service_error_code": "ValidationError", "service_message": f"Stack with id {STACK_NAME} does not exist"}


@pytest.fixture
def cloudformation():
    return boto3.Session("testing", "testing", region_name="eu-central-1").client("cloudformation")


@pytest.fixture
def aws(cloudformation):
    with Stubber(cloudformation) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def stack(status, **more):
    return {"Stacks": [{"StackName": STACK_NAME, "StackStatus": status, "CreationTime": NOW, **more}]}


def failed_events():
    common = {"StackId": "id", "StackName": STACK_NAME, "Timestamp": NOW}
    return {
        "StackEvents": [
            {**common, "EventId": "3", "LogicalResourceId": STACK_NAME, "ResourceStatus": "ROLLBACK_IN_PROGRESS"},
            {
                **common,
                "EventId": "2",
                "LogicalResourceId": "Bucket",
                "ResourceStatus": "CREATE_FAILED",
                "ResourceStatusReason": "a-bucket already exists",
            },
        ]
    }


def deploy(cloudformation, **parameters):
    return deploy_stack(cloudformation, StackRequest(parameters=parameters, template="{}"), poll_s=0)


def request(parameters):
    return {
        "StackName": STACK_NAME,
        "TemplateBody": "{}",
        "Parameters": parameters,
        "Capabilities": ["CAPABILITY_IAM"],
        "Tags": [{"Key": "image-classifier", "Value": "shared"}],
    }


def test_a_stack_that_is_not_there_is_created_and_waited_for(cloudformation, aws):
    aws.add_client_error("describe_stacks", **ABSENT)
    given = [{"ParameterKey": "InVpc", "ParameterValue": "yes"}]
    aws.add_response("create_stack", {"StackId": "id"}, request(given))
    aws.add_response("describe_stacks", stack("CREATE_IN_PROGRESS"))
    aws.add_response("describe_stacks", stack("CREATE_COMPLETE"))

    assert deploy(cloudformation, InVpc="yes") == "created"


def test_an_update_keeps_the_parameters_that_are_not_given(cloudformation, aws):
    parameters = [{"ParameterKey": key, "ParameterValue": "old"} for key in ("InVpc", "KmsKeyArn")]
    aws.add_response("describe_stacks", stack("UPDATE_COMPLETE", Parameters=parameters))
    wanted = [
        {"ParameterKey": "InVpc", "ParameterValue": "no"},
        {"ParameterKey": "KmsKeyArn", "UsePreviousValue": True},
    ]
    aws.add_response("update_stack", {"StackId": "id"}, request(wanted))
    aws.add_response("describe_stacks", stack("UPDATE_COMPLETE"))

    assert deploy(cloudformation, InVpc="no") == "updated"


def test_a_stack_that_is_as_it_should_be_is_left_alone(cloudformation, aws):
    aws.add_response("describe_stacks", stack("CREATE_COMPLETE"))
    aws.add_client_error(
        "update_stack", service_error_code="ValidationError", service_message="No updates are to be performed."
    )

    assert deploy(cloudformation) == "unchanged"


def test_a_stack_whose_creation_failed_is_deleted_and_created_again(cloudformation, aws):
    aws.add_response("describe_stacks", stack("ROLLBACK_COMPLETE"))
    aws.add_response("delete_stack", {}, {"StackName": STACK_NAME})
    aws.add_client_error("describe_stacks", **ABSENT)
    aws.add_response("create_stack", {"StackId": "id"})
    aws.add_response("describe_stacks", stack("CREATE_COMPLETE"))

    assert deploy(cloudformation) == "created"


def test_a_creation_that_is_rolled_back_names_the_resource_and_the_reason(cloudformation, aws):
    aws.add_client_error("describe_stacks", **ABSENT)
    aws.add_response("create_stack", {"StackId": "id"})
    aws.add_response("describe_stacks", stack("ROLLBACK_COMPLETE"))
    aws.add_response("describe_stacks", stack("ROLLBACK_COMPLETE"))
    aws.add_response("describe_stack_events", failed_events())

    with pytest.raises(StackError, match=r"is ROLLBACK_COMPLETE\. Bucket: a-bucket already exists\."):
        deploy(cloudformation)


def test_a_stack_that_is_being_changed_is_not_touched(cloudformation, aws):
    aws.add_response("describe_stacks", stack("UPDATE_IN_PROGRESS"))

    with pytest.raises(StackError, match="UPDATE_IN_PROGRESS"):
        deploy(cloudformation)


@pytest.mark.parametrize("operation", ["create_stack", "update_stack", "delete_stack", "describe_stacks"])
def test_a_refusal_is_an_error_of_ours_with_aws_s_words(cloudformation, aws, operation):
    denied = {"service_error_code": "AccessDenied", "service_message": "You are not authorized to do this."}
    if operation == "create_stack":
        aws.add_client_error("describe_stacks", **ABSENT)
    if operation == "update_stack":
        aws.add_response("describe_stacks", stack("CREATE_COMPLETE"))
    aws.add_client_error(operation, **denied)

    with pytest.raises(StackError, match="You are not authorized to do this"):
        delete_stack(cloudformation, STACK_NAME) if operation == "delete_stack" else deploy(cloudformation)


def test_the_settings_are_the_outputs_that_name_a_variable():
    outputs = [
        {"OutputKey": "Bucket", "OutputValue": "b", "Description": "IMAGE_CLASSIFIER_BUCKET"},
        {"OutputKey": "AirflowPolicyArn", "OutputValue": "arn", "Description": "Attach this policy."},
    ]
    assert settings_of({"Outputs": outputs}) == {"IMAGE_CLASSIFIER_BUCKET": "b"}
