"""Checks each step to the requested endpoint config; an update that AWS rolled back is a failure."""

from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from image_classifier.contracts import errors
from image_classifier.deploy import endpoint

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REQUEST = {"EndpointName": "cats", "EndpointConfigName": "new", "Tags": [{"Key": "image-classifier", "Value": "cats"}]}
ARN = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/cats"
ROLLING = {
    "RollingUpdatePolicy": {
        "MaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": 50},
        "WaitIntervalInSeconds": 60,
    }
}


def absent(aws, operation, kind):
    aws.add_client_error(operation, "ValidationException", f'Could not find {kind} "arn".', 400)


def exists(aws, operation):
    aws.add_client_error(operation, "ValidationException", 'Cannot create already existing endpoint "arn".', 400)


def described(status, serves="new", **values):
    return {
        "EndpointName": "cats",
        "EndpointArn": ARN,
        "EndpointConfigName": serves,
        "EndpointStatus": status,
        "CreationTime": NOW,
        "LastModifiedTime": NOW,
        **values,
    }


def has_endpoint(aws, *args, **values):
    aws.add_response("describe_endpoint", described(*args, **values), {"EndpointName": "cats"})


def test_an_endpoint_that_is_not_there_is_created(sagemaker, aws):
    absent(aws, "describe_endpoint", "endpoint")
    aws.add_response("create_endpoint", {"EndpointArn": ARN}, REQUEST)

    assert endpoint.ensure_endpoint(sagemaker, REQUEST) == "created"


def test_a_config_created_a_moment_ago_is_waited_for(sagemaker, aws, pauses):
    absent(aws, "describe_endpoint", "endpoint")
    absent(aws, "create_endpoint", "endpoint configuration")
    aws.add_response("create_endpoint", {"EndpointArn": ARN}, REQUEST)

    assert endpoint.ensure_endpoint(sagemaker, REQUEST) == "created"
    assert len(pauses) == 1


def test_a_config_that_never_appears_is_an_error(sagemaker, aws):
    absent(aws, "describe_endpoint", "endpoint")
    for _ in range(6):
        absent(aws, "create_endpoint", "endpoint configuration")

    with pytest.raises(ClientError, match="Could not find endpoint configuration"):
        endpoint.ensure_endpoint(sagemaker, REQUEST)


def test_an_endpoint_that_another_try_created_meanwhile_is_waited_for(sagemaker, aws):
    absent(aws, "describe_endpoint", "endpoint")
    exists(aws, "create_endpoint")

    assert endpoint.ensure_endpoint(sagemaker, REQUEST) == "waiting"


def test_an_endpoint_that_serves_the_config_is_left_alone(sagemaker, aws):
    has_endpoint(aws, "InService", "new")

    assert endpoint.ensure_endpoint(sagemaker, REQUEST) == "unchanged"


def test_what_serves_stays_although_a_later_update_was_rolled_back(sagemaker, aws, caplog):
    has_endpoint(aws, "InService", "new", FailureReason="ping failed")

    assert endpoint.ensure_endpoint(sagemaker, REQUEST) == "unchanged"
    assert "AWS rolled a later update back: ping failed" in caplog.text


def test_an_endpoint_is_created_without_a_rollout_and_updated_with_it(sagemaker, aws):
    request = {**REQUEST, "DeploymentConfig": ROLLING}
    update = {"EndpointName": "cats", "EndpointConfigName": "new", "DeploymentConfig": ROLLING}
    absent(aws, "describe_endpoint", "endpoint")
    aws.add_response("create_endpoint", {"EndpointArn": ARN}, REQUEST)
    has_endpoint(aws, "InService", "old")
    aws.add_response("update_endpoint", {"EndpointArn": ARN}, update)

    assert endpoint.ensure_endpoint(sagemaker, request) == "created"
    assert endpoint.ensure_endpoint(sagemaker, request) == "updated"


@pytest.mark.parametrize(
    ("status", "serves", "pending", "step"),
    [
        ("Creating", "new", None, "adopted"),
        ("Creating", "old", None, "waiting"),
        ("Updating", "old", "new", "adopted"),
        ("Updating", "new", "other", "waiting"),
    ],
)
def test_a_change_to_the_config_that_an_earlier_try_began_is_its_own(sagemaker, aws, status, serves, pending, step):
    values = {"PendingDeploymentSummary": {"EndpointConfigName": pending}} if pending else {}
    has_endpoint(aws, status, serves, **values)

    assert endpoint.ensure_endpoint(sagemaker, REQUEST) == step


def test_an_endpoint_with_another_config_is_updated_without_tags(sagemaker, aws):
    has_endpoint(aws, "InService", "old")
    aws.add_response("update_endpoint", {"EndpointArn": ARN}, {"EndpointName": "cats", "EndpointConfigName": "new"})

    assert endpoint.ensure_endpoint(sagemaker, REQUEST) == "updated"


@pytest.mark.parametrize("status", ["Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"])
def test_an_endpoint_that_is_being_changed_is_waited_for(sagemaker, aws, status):
    has_endpoint(aws, status, "old")

    assert endpoint.ensure_endpoint(sagemaker, REQUEST) == "waiting"


def test_a_change_that_came_between_is_waited_for(sagemaker, aws):
    has_endpoint(aws, "InService", "old")
    aws.add_client_error("update_endpoint", "ValidationException", 'Cannot update in-progress endpoint "arn".', 400)

    assert endpoint.ensure_endpoint(sagemaker, REQUEST) == "waiting"


def test_other_refusals_of_an_update_are_raised(sagemaker, aws):
    has_endpoint(aws, "InService", "old")
    aws.add_client_error("update_endpoint", "ResourceLimitExceeded", "quota", 400)

    with pytest.raises(ClientError, match="quota"):
        endpoint.ensure_endpoint(sagemaker, REQUEST)


def test_a_failed_endpoint_is_deleted_so_that_it_can_be_created(sagemaker, aws):
    has_endpoint(aws, "Failed")
    aws.add_response("delete_endpoint", {}, {"EndpointName": "cats"})

    assert endpoint.ensure_endpoint(sagemaker, REQUEST) == "deleted"


@pytest.mark.parametrize("status", ["OutOfService", "UpdateRollbackFailed"])
def test_a_state_that_a_person_must_resolve_is_an_error(sagemaker, aws, status):
    has_endpoint(aws, status)

    with pytest.raises(errors.EndpointError, match=f"cats is {status}"):
        endpoint.ensure_endpoint(sagemaker, REQUEST)


def test_an_update_is_a_success_only_if_aws_did_not_roll_it_back():
    endpoint.check_serves(described("InService"), endpoint_config="new")

    with pytest.raises(
        errors.EndpointRolledBackError, match=r"update of endpoint cats to new back: ping failed It still serves old"
    ):
        endpoint.check_serves(described("InService", "old", FailureReason="ping failed"), endpoint_config="new")


def test_an_endpoint_that_somebody_deleted_is_an_error_of_its_own():
    with pytest.raises(errors.EndpointGoneError, match="for new is gone"):
        endpoint.check_serves(None, endpoint_config="new")


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (described("Failed", FailureReason="no machine"), "failed: no machine"),
        (described("OutOfService"), "is OutOfService"),
        (described("InService", FailureReason="no alarm"), "in service with new, and AWS reports a failure: no alarm"),
    ],
)
def test_an_endpoint_that_is_not_in_service_is_an_error(found, sentence):
    with pytest.raises(errors.EndpointError, match=sentence):
        endpoint.check_serves(found, endpoint_config="new")


def test_the_configs_in_use_are_what_serves_and_what_is_coming_up():
    updating = described("Updating", "old", PendingDeploymentSummary={"EndpointConfigName": "new"})

    assert endpoint.configs_in_use(updating) == {"old", "new"}
    assert endpoint.configs_in_use(described("InService", "old")) == {"old"}
    assert endpoint.configs_in_use(None) == set()
