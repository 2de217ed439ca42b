"""Checks bucket, notification and source: on moto's bucket, and refusals by the Stubber."""

from dataclasses import replace

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.plan.preflight_checks.finding import DEPLOY
from image_classifier.plan.preflight_checks.identity import Caller
from image_classifier.plan.preflight_checks.storage import check_bucket, check_notification, check_source

SETTINGS = Settings(
    bucket="a-bucket",
    sagemaker_role_arn="arn:aws:iam::123456789012:role/sagemaker",
    function_role_arn="arn:aws:iam::123456789012:role/function",
    failure_queue_arn="arn:aws:sqs:us-east-1:123456789012:failures",
)
CALLER = Caller("arn:aws:iam::1:user/team/anne", "1", "arn:aws:iam::1:user/team/anne", "us-east-1")
QUEUE = "arn:aws:sqs:us-east-1:123456789012:other"


@pytest.fixture
def s3():
    with mock_aws():
        session = boto3.Session("testing", "testing", region_name="us-east-1")
        client = session.client("s3")
        client.create_bucket(Bucket="a-bucket")
        yield client


@pytest.fixture
def refusing():
    client = boto3.Session("testing", "testing", region_name="us-east-1").client("s3")
    client.stubber = Stubber(client)
    client.stubber.activate()
    return client


def cats(source="cats"):
    return Classifier(name="cats", source=source)


def test_a_bucket_that_is_there_is_well(s3):
    assert check_bucket(s3, settings=SETTINGS).status == "ok"


def test_a_bucket_that_does_not_exist_is_deployed(s3):
    finding = check_bucket(s3, settings=SETTINGS.model_copy(update={"bucket": "another"}))

    assert (finding.status, finding.command) == ("missing", DEPLOY)


def test_a_bucket_that_is_forbidden_is_not_deployed_again(refusing):
    refusing.stubber.add_client_error("head_bucket", "403", "Forbidden")

    finding = check_bucket(refusing, settings=SETTINGS)

    assert (finding.status, "get-bucket-policy --bucket a-bucket" in finding.command) == ("missing", True)


def test_a_bucket_of_another_region_is_missing(refusing):
    refusing.stubber.add_response("head_bucket", {"BucketRegion": "eu-west-1"}, {"Bucket": "a-bucket"})

    finding = check_bucket(refusing, settings=SETTINGS)

    assert finding.status == "missing"
    assert finding.command.startswith("make aws-preflight REGION=eu-west-1 #")


def notify(s3, prefix):
    entry = {
        "Id": "theirs",
        "QueueArn": QUEUE,
        "Events": ["s3:ObjectCreated:Put"],
        **({"Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": prefix}]}}} if prefix else {}),
    }
    boto3.Session("testing", "testing", region_name="us-east-1").client("sqs").create_queue(QueueName="other")
    s3.put_bucket_notification_configuration(
        Bucket="a-bucket", NotificationConfiguration={"QueueConfigurations": [entry]}
    )


@pytest.mark.parametrize(("prefix", "status"), [("cats/in", "missing"), ("", "missing"), ("dogs/", "ok")])
def test_a_notification_that_overlaps_is_named(s3, prefix, status):
    notify(s3, prefix)

    finding = check_notification(s3, classifier=cats(), settings=SETTINGS)

    assert finding.status == status
    assert ("theirs" in finding.found) == (status == "missing")
    assert ("file://notifications.json" in finding.command) == (status == "missing")


def test_notifications_that_cannot_be_read_are_unchecked(refusing):
    refusing.stubber.add_client_error("get_bucket_notification_configuration", "AccessDenied")

    assert check_notification(refusing, classifier=cats(), settings=SETTINGS).status == "not checked"


def test_a_source_in_a_bucket_is_listed_and_one_object_asked_for(s3):
    s3.put_object(Bucket="a-bucket", Key="photos/cat/1.jpg", Body=b"x")

    finding = check_source(s3, classifier=cats("s3://a-bucket/photos/"), settings=SETTINGS, caller=CALLER)

    assert (finding.status, "photos/cat/1.jpg" in finding.found) == ("ok", True)


def test_a_source_whose_requester_pays_is_asked_for_as_the_run_reads_it(refusing):
    pays = {"Bucket": "theirs", "RequestPayer": "requester"}
    listed = {"Contents": [{"Key": "photos/cat/1.jpg"}]}
    refusing.stubber.add_response("list_objects_v2", listed, {**pays, "Prefix": "photos/", "MaxKeys": 5})
    refusing.stubber.add_response("head_object", {}, {**pays, "Key": "photos/cat/1.jpg"})

    classifier = cats("s3://theirs/photos/").revised({"requester_pays": True})

    assert check_source(refusing, classifier=classifier, settings=SETTINGS, caller=CALLER).status == "ok"


def test_a_refused_source_names_the_setting_of_requester_pays(refusing):
    refusing.stubber.add_client_error("list_objects_v2", "AccessDenied")

    finding = check_source(refusing, classifier=cats("s3://theirs/photos/"), settings=SETTINGS, caller=CALLER)

    assert "requester_pays: true" in finding.command


def test_an_empty_source_is_missing(s3):
    assert (
        check_source(s3, classifier=cats("s3://a-bucket/photos/"), settings=SETTINGS, caller=CALLER).status == "missing"
    )


def test_a_source_that_may_be_listed_and_not_read_is_missing(refusing):
    refusing.stubber.add_response("list_objects_v2", {"Contents": [{"Key": "photos/cat/1.jpg"}]})
    refusing.stubber.add_client_error("head_object", "403", "Forbidden")

    finding = check_source(refusing, classifier=cats("s3://theirs/photos/"), settings=SETTINGS, caller=CALLER)

    assert finding.status == "missing"
    assert finding.found == f"{CALLER.arn} may not s3:GetObject in s3://theirs/photos/, though it may list it"
    assert finding.command.startswith("aws iam put-user-policy --user-name anne --policy-name read-source-of-cats ")
    assert '"s3:GetObject", "Resource": "arn:aws:s3:::theirs/photos/*"' in finding.command


@pytest.mark.parametrize(
    ("change", "status", "command"),
    [
        ({"is_named": True}, "not checked", ""),
        ({"policy_source_arn": "arn:aws:iam::1:root"}, "missing", "aws s3api get-bucket-policy --bucket theirs"),
        ({"policy_source_arn": "arn:aws:iam::1:role/a/b"}, "missing", "aws iam put-role-policy --role-name b "),
    ],
)
def test_the_right_to_read_a_source_is_given_to_the_caller_alone(refusing, change, status, command):
    refusing.stubber.add_client_error("list_objects_v2", "AccessDenied")

    finding = check_source(
        refusing, classifier=cats("s3://theirs/photos/"), settings=SETTINGS, caller=replace(CALLER, **change)
    )

    assert (finding.status, finding.found.startswith(f"{CALLER.arn} may not s3:ListBucket")) == (status, True)
    assert finding.command.startswith(command)


def test_a_bucket_that_is_not_there_has_no_right_to_give(s3):
    finding = check_source(s3, classifier=cats("s3://absent/photos/"), settings=SETTINGS, caller=CALLER)

    assert (finding.status, finding.command) == ("missing", "aws s3 ls s3://absent/photos/")


def test_a_folder_is_read_and_one_that_is_not_there_is_missing(s3, tmp_path):
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats/1.jpg").write_bytes(b"x")
    settings = SETTINGS.model_copy(update={"data_folder": tmp_path})

    assert check_source(s3, classifier=cats(), settings=settings, caller=CALLER).status == "ok"
    missing = check_source(s3, classifier=cats("dogs"), settings=settings, caller=CALLER)
    assert (missing.status, missing.command) == (
        "missing",
        "export IMAGE_CLASSIFIER_DATA_FOLDER=<the folder that contains dogs>",
    )
    assert check_source(s3, classifier=cats("/no/dogs"), settings=settings, caller=CALLER).command == "ls -l /no/dogs"
