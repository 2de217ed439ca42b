"""Checks what is refused before a run pays anything."""

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto import mock_aws

from image_classifier.aws.clients import Clients
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import FunctionError, ResourceClashError, SettingsError
from image_classifier.plan.preflight import check_deployment

SETTINGS = Settings(
    bucket="a-bucket",
    sagemaker_role_arn="arn:aws:iam::123456789012:role/sagemaker",
    function_role_arn="arn:aws:iam::123456789012:role/function",
    failure_queue_arn="arn:aws:sqs:us-east-1:123456789012:failures",
)
CATS = Classifier(name="cats", source="cats")
SESSION = boto3.Session("testing", "testing", region_name="us-east-1")
OWN_ROLE, OTHER_ROLE = (f"arn:aws:iam::123456789012:role/{name}" for name in ("function", "function-of-others"))


class Functions:
    """Lambda with one function of this role; without a role there is none."""

    def __init__(self, role=None):
        self.role = role

    def get_function(self, FunctionName):  # noqa: N803
        assert FunctionName == "image-classifier-cats"
        if self.role is None:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetFunction")
        return {"Configuration": {"Role": self.role}}


@pytest.fixture
def sagemaker(monkeypatch):
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    with mock_aws():
        yield SESSION.client("sagemaker")


@pytest.fixture
def s3():
    client = SESSION.client("s3")
    with Stubber(client) as stubber:
        client.stubber = stubber
        yield client


@pytest.fixture
def check(s3, sagemaker):
    """Check a deployment, in an account with a function of this role."""

    def run(classifier=CATS, *, region="us-east-1", role=None):
        clients = Clients(sagemaker, Functions(role), None, s3, None)
        check_deployment(clients, classifier=classifier, settings=SETTINGS, region=region)

    return run


def serves(sagemaker, bucket):
    """Create the endpoint of the classifier cats, with a model of this bucket."""
    name = "image-classifier-cats"
    container = {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1", "ModelDataUrl": f"s3://{bucket}/m.tar.gz"}
    variant = {"VariantName": "a", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=OTHER_ROLE)
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)


def test_a_bucket_that_can_be_reached_is_enough(check, s3):
    s3.stubber.add_response("head_bucket", {}, {"Bucket": "a-bucket"})
    s3.stubber.add_response("get_bucket_notification_configuration", {}, {"Bucket": "a-bucket"})

    check()

    s3.stubber.assert_no_pending_responses()


@pytest.mark.parametrize("code", ["404", "403"])
def test_a_bucket_that_cannot_be_reached_is_named(check, s3, code):
    s3.stubber.add_client_error("head_bucket", code)

    with pytest.raises(SettingsError, match=r"Bucket a-bucket of IMAGE_CLASSIFIER_BUCKET"):
        check()


def test_a_region_without_the_algorithm_is_refused_before_any_call(check, s3):
    with pytest.raises(SettingsError, match="mars-north-1"):
        check(region="mars-north-1")


def test_an_own_image_that_is_not_named_is_asked_for_before_any_call(check, s3):
    own = Classifier(name="cats", source="cats", algorithm="own")

    with pytest.raises(SettingsError, match="IMAGE_CLASSIFIER_ALGORITHM_IMAGE is not set"):
        check(own)


def test_an_overlapping_notification_is_refused_before_a_job_starts(check, s3):
    theirs = {"Id": "theirs", "QueueArn": "arn:aws:sqs:us-east-1:123456789012:q", "Events": ["s3:ObjectCreated:*"]}
    s3.stubber.add_response("head_bucket", {}, {"Bucket": "a-bucket"})
    s3.stubber.add_response("get_bucket_notification_configuration", {"QueueConfigurations": [theirs]})

    with pytest.raises(FunctionError, match="theirs"):
        check()


@pytest.fixture
def reachable(s3):
    s3.stubber.add_response("head_bucket", {}, {"Bucket": "a-bucket"})
    s3.stubber.add_response("get_bucket_notification_configuration", {}, {"Bucket": "a-bucket"})


@pytest.mark.parametrize("role", [OTHER_ROLE, None])
def test_a_name_that_another_deployment_serves_is_refused(check, reachable, sagemaker, role):
    serves(sagemaker, "bucket-of-others")

    with pytest.raises(ResourceClashError, match=r"image-classifier-cats .* s3://bucket-of-others, .* Rename"):
        check(role=role)


@pytest.mark.parametrize(("bucket", "role"), [("a-bucket", OTHER_ROLE), ("bucket-of-before", OWN_ROLE)])
def test_a_stack_with_other_roles_or_another_bucket_goes_on(check, reachable, s3, sagemaker, bucket, role):
    serves(sagemaker, bucket)

    check(role=role)

    s3.stubber.assert_no_pending_responses()
