import boto3
import pytest
from botocore.stub import Stubber

from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import FunctionError, SettingsError
from image_classifier.plan.preflight import check_deployment

SETTINGS = Settings(
    bucket="a-bucket",
    sagemaker_role_arn="arn:aws:iam::123456789012:role/sagemaker",
    function_role_arn="arn:aws:iam::123456789012:role/function",
    failure_queue_arn="arn:aws:sqs:us-east-1:123456789012:failures",
)
CATS = Classifier(name="cats", source="cats")


@pytest.fixture
def s3():
    client = boto3.Session("testing", "testing", region_name="us-east-1").client("s3")
    with Stubber(client) as stubber:
        client.stubber = stubber
        yield client


def test_a_bucket_that_can_be_reached_is_enough(s3):
    s3.stubber.add_response("head_bucket", {}, {"Bucket": "a-bucket"})
    s3.stubber.add_response("get_bucket_notification_configuration", {}, {"Bucket": "a-bucket"})

    check_deployment(s3, classifier=CATS, settings=SETTINGS, region="us-east-1")

    s3.stubber.assert_no_pending_responses()


@pytest.mark.parametrize("code", ["404", "403"])
def test_a_bucket_that_cannot_be_reached_is_named(s3, code):
    s3.stubber.add_client_error("head_bucket", code)

    with pytest.raises(SettingsError, match=r"Bucket a-bucket of IMAGE_CLASSIFIER_BUCKET"):
        check_deployment(s3, classifier=CATS, settings=SETTINGS, region="us-east-1")


def test_a_region_without_the_algorithm_is_refused_before_any_call(s3):
    with pytest.raises(SettingsError, match="mars-north-1"):
        check_deployment(s3, classifier=CATS, settings=SETTINGS, region="mars-north-1")


def test_an_own_image_that_is_not_named_is_asked_for_before_any_call(s3):
    own = Classifier(name="cats", source="cats", algorithm="own")

    with pytest.raises(SettingsError, match="IMAGE_CLASSIFIER_ALGORITHM_IMAGE is not set"):
        check_deployment(s3, classifier=own, settings=SETTINGS, region="us-east-1")


def test_an_overlapping_notification_is_refused_before_a_job_starts(s3):
    theirs = {"Id": "theirs", "QueueArn": "arn:aws:sqs:us-east-1:123456789012:q", "Events": ["s3:ObjectCreated:*"]}
    s3.stubber.add_response("head_bucket", {}, {"Bucket": "a-bucket"})
    s3.stubber.add_response("get_bucket_notification_configuration", {"QueueConfigurations": [theirs]})

    with pytest.raises(FunctionError, match="theirs"):
        check_deployment(s3, classifier=CATS, settings=SETTINGS, region="us-east-1")
