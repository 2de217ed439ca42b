"""Checks that a model and an endpoint config are created once, and that another one of the same name is refused."""

from datetime import UTC, datetime

import botocore.session
import pytest
from botocore.validate import ParamValidator

from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.contracts import errors
from image_classifier.deploy.endpoint import endpoint_request
from image_classifier.deploy.endpoint_config import endpoint_config_request, ensure_endpoint_config
from image_classifier.deploy.model import ensure_model, model_request

ROLE = "arn:aws:iam::123456789012:role/sagemaker"
SETTINGS = Settings(
    bucket="the-bucket",
    sagemaker_role_arn=ROLE,
    function_role_arn=ROLE,
    failure_queue_arn="arn:aws:sqs:us-east-1:123456789012:failures",
)
SERVICE = botocore.session.get_session().get_service_model("sagemaker")
JOB = "image-classifier-cats-01234567-89abcdef"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ARN = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/cats"
FULL = {
    "vpc_config": {"security_group_ids": ["sg-1"], "subnets": ["subnet-1", "subnet-2"]},
    "kms_keys": {"endpoint_volume": "alias/volumes"},
    "network_isolation": True,
}


def classifier(**values):
    return Classifier.model_validate({"name": "cats", "source": "cats", **values})


def model(**values):
    return model_request(
        classifier(**values), settings=SETTINGS, training_job=JOB, model_artifact="s3://b/m.tar.gz", image="image"
    )


def test_a_model_works_as_the_hosting_role_if_the_stack_has_one():
    hosting_role = "arn:aws:iam::123456789012:role/hosting"
    settings = SETTINGS.model_copy(update={"hosting_role_arn": hosting_role})
    request = model_request(
        classifier(), settings=settings, training_job=JOB, model_artifact="s3://b/m.tar.gz", image="image"
    )
    assert request["ExecutionRoleArn"] == hosting_role
    assert model()["ExecutionRoleArn"] == ROLE


def config(**values):
    return endpoint_config_request(classifier(**values), training_job=JOB, model=model(**values))


@pytest.mark.parametrize("values", [{}, FULL])
def test_aws_accepts_the_requests(values):
    requests = {
        "CreateModel": model(**values),
        "CreateEndpointConfig": config(**values),
        "CreateEndpoint": endpoint_request(classifier(**values), endpoint_config="new"),
    }
    for operation, request in requests.items():
        report = ParamValidator().validate(request, SERVICE.operation_model(operation).input_shape)
        assert report.generate_report() == "", operation


def test_the_variant_carries_the_training_jobs_name():
    [variant] = config()["ProductionVariants"]

    assert variant["VariantName"] == JOB
    assert variant["ModelName"] == model()["ModelName"]


def test_network_keys_and_isolation_are_the_classifiers():
    assert model(**FULL)["VpcConfig"]["Subnets"] == ["subnet-1", "subnet-2"]
    assert model(**FULL)["EnableNetworkIsolation"] is True
    assert config(**FULL)["KmsKeyId"] == "alias/volumes"
    assert "KmsKeyId" not in config()


def test_the_endpoint_config_is_named_after_its_content():
    bigger = config(endpoint={"instance_type": "ml.m5.xlarge"})

    assert config()["EndpointConfigName"] == config(tags={"team": "vision"})["EndpointConfigName"]
    assert config()["EndpointConfigName"] != bigger["EndpointConfigName"]


def test_the_endpoint_keeps_its_name_and_carries_the_tag():
    request = endpoint_request(classifier(), endpoint_config="new")

    assert request["EndpointName"] == "image-classifier-cats"
    assert request["Tags"] == [{"Key": "image-classifier", "Value": "cats"}]


def absent(aws, operation, kind):
    aws.add_client_error(operation, "ValidationException", f'Could not find {kind} "arn".', 400)


def exists(aws, operation):
    aws.add_client_error(operation, "ValidationException", 'Cannot create already existing model "arn".', 400)


def has_model(aws, **values):
    found = {key: value for key, value in model().items() if key != "Tags"}
    container = {**found["PrimaryContainer"], "Mode": "SingleModel"}  # AWS answers more than was asked for
    aws.add_response(
        "describe_model",
        {**found, "PrimaryContainer": container, "CreationTime": NOW, "ModelArn": ARN, **values},
        {"ModelName": values.get("ModelName", found["ModelName"])},
    )


def test_a_model_is_created_once(sagemaker, aws):
    absent(aws, "describe_model", "model")
    aws.add_response("create_model", {"ModelArn": ARN}, model())
    has_model(aws)

    assert ensure_model(sagemaker, model()) == "created"
    assert ensure_model(sagemaker, model()) == "unchanged"


def test_a_model_that_another_try_created_meanwhile_is_the_same(sagemaker, aws):
    absent(aws, "describe_model", "model")
    exists(aws, "create_model")
    has_model(aws)

    assert ensure_model(sagemaker, model()) == "unchanged"


def test_a_model_with_other_content_is_an_error_that_names_the_difference(sagemaker, aws):
    has_model(aws, ExecutionRoleArn=f"{ROLE}-before")

    with pytest.raises(errors.ResourceClashError, match=rf"ExecutionRoleArn is '{ROLE}-before', wanted '{ROLE}'"):
        ensure_model(sagemaker, model())


@pytest.mark.parametrize(
    "change",
    [
        {"network_isolation": True},
        {"vpc_config": {"security_group_ids": ["sg-0123456789abcdef0"], "subnets": ["subnet-0123456789abcdef0"]}},
    ],
)
def test_a_model_is_named_after_its_content(change):
    assert model(**change)["ModelName"] != model()["ModelName"]
    assert model(tags={"team": "vision"})["ModelName"] == model()["ModelName"]
    assert len(model()["ModelName"]) <= 63


def test_the_order_of_subnets_is_no_difference(sagemaker, aws):
    vpc = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-2", "subnet-1"]}
    has_model(aws, ModelName=model(**FULL)["ModelName"], VpcConfig=vpc, EnableNetworkIsolation=True)

    assert ensure_model(sagemaker, model(**FULL)) == "unchanged"


@pytest.mark.parametrize("subnets", [["subnet-1", "subnet-3"], ["subnet-1"], ["subnet-1", "subnet-2", "subnet-3"]])
def test_a_model_in_other_subnets_is_another_one(sagemaker, aws, subnets):
    vpc = {"SecurityGroupIds": ["sg-1"], "Subnets": subnets}
    has_model(aws, ModelName=model(**FULL)["ModelName"], VpcConfig=vpc, EnableNetworkIsolation=True)

    with pytest.raises(errors.ResourceClashError, match=r"VpcConfig\.Subnets is "):
        ensure_model(sagemaker, model(**FULL))


def test_a_model_outside_the_network_is_another_one(sagemaker, aws):
    has_model(aws, ModelName=model(**FULL)["ModelName"], EnableNetworkIsolation=True)

    with pytest.raises(
        errors.ResourceClashError, match=r"VpcConfig\.Subnets is None, wanted \['subnet-1', 'subnet-2'\]"
    ):
        ensure_model(sagemaker, model(**FULL))


def test_an_endpoint_config_is_created_once(sagemaker, aws):
    request = config()
    absent(aws, "describe_endpoint_config", "endpoint configuration")
    aws.add_response("create_endpoint_config", {"EndpointConfigArn": ARN}, request)
    found = {key: value for key, value in request.items() if key != "Tags"}
    aws.add_response("describe_endpoint_config", {**found, "EndpointConfigArn": ARN, "CreationTime": NOW})

    assert ensure_endpoint_config(sagemaker, request) == "created"
    assert ensure_endpoint_config(sagemaker, request) == "unchanged"


def test_an_endpoint_config_with_other_content_is_an_error(sagemaker, aws):
    found = {key: value for key, value in config().items() if key != "Tags"}
    [variant] = found["ProductionVariants"]
    others = {**found, "ProductionVariants": [{**variant, "InstanceType": "ml.p3.2xlarge"}]}
    aws.add_response("describe_endpoint_config", {**others, "EndpointConfigArn": ARN, "CreationTime": NOW})

    difference = r"ProductionVariants\[0\]\.InstanceType is 'ml\.p3\.2xlarge', wanted 'ml\.m5\.large'"
    with pytest.raises(errors.ResourceClashError, match=difference):
        ensure_endpoint_config(sagemaker, config())


def test_a_model_waits_for_a_role_that_is_seconds_old(sagemaker, aws, pauses):
    absent(aws, "describe_model", "model")
    sentence = f"Could not assume role {ROLE}. Please ensure that the role exists."
    aws.add_client_error("create_model", "ValidationException", sentence, expected_params=model())
    aws.add_response("create_model", {"ModelArn": ARN}, model())

    assert ensure_model(sagemaker, model()) == "created"
    assert pauses == [5]


def test_a_model_created_a_moment_ago_is_waited_for(sagemaker, aws, pauses):
    absent(aws, "describe_endpoint_config", "endpoint configuration")
    absent(aws, "create_endpoint_config", "model")
    aws.add_response("create_endpoint_config", {"EndpointConfigArn": ARN}, config())

    assert ensure_endpoint_config(sagemaker, config()) == "created"
    assert len(pauses) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"network_isolation": True},
        {"vpc_config": {"security_group_ids": ["sg-0123456789abcdef0"], "subnets": ["subnet-0123456789abcdef0"]}},
    ],
)
def test_a_model_in_another_network_needs_another_endpoint_config(change):
    assert config(**change)["EndpointConfigName"] != config()["EndpointConfigName"]
