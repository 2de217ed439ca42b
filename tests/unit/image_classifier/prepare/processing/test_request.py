"""Checks the request of a processing job, whose name depends on its listing and settings."""

import botocore.session
import pytest
from botocore.validate import ParamValidator

from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import SettingsError
from image_classifier.prepare.processing.jobs import bucket_of
from image_classifier.prepare.processing.request import processing_request
from image_classifier.prepare.processing.work import Work

SHAPE = botocore.session.get_session().get_service_model("sagemaker").operation_model("CreateProcessingJob").input_shape
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/image-classification-preparation:1"
ROLE = "arn:aws:iam::123456789012:role/preparation"
SETTINGS = Settings(
    bucket="pictures",
    sagemaker_role_arn="arn:aws:iam::123456789012:role/training",
    function_role_arn="arn:aws:iam::123456789012:role/function",
    failure_queue_arn="arn:aws:sqs:eu-west-1:123456789012:failures",
    preparation_role_arn=ROLE,
    preparation_image=IMAGE,
)
WORK = Work("cats", run="0123456789abcdef", shards=9, images=8_500)
CATS = Classifier.model_validate(
    {"name": "cats", "source": "s3://photos/cats/", "preparation": {"runner": "processing", "instance_count": 3}}
)


def request(work=WORK, *, region="eu-west-1", **changes):
    classifier = Classifier.model_validate({**CATS.model_dump(), **changes})
    return processing_request(classifier, work, settings=SETTINGS, region=region)


def test_a_request_names_the_listing_and_aws_takes_it():
    found = request()

    assert ParamValidator().validate(found, SHAPE).generate_report() == ""
    assert Work.of(found["AppSpecification"]["ContainerArguments"]) == WORK
    assert (found["AppSpecification"]["ImageUri"], found["RoleArn"]) == (IMAGE, ROLE)
    assert (bucket_of(found), found["StoppingCondition"]["MaxRuntimeInSeconds"]) == ("pictures", 14_400)
    assert {"Key": "image-classifier", "Value": "cats"} in found["Tags"]


def test_the_name_is_computed_from_the_listing_and_the_settings():
    name = request()["ProcessingJobName"]

    assert name == request()["ProcessingJobName"]
    assert name.startswith("image-classifier-cats-")
    other_listing = Work("cats", run="fedcba9876543210", shards=9, images=8_500)
    others = [
        request(other_listing),
        request(preparation={"runner": "processing", "instance_count": 2}),
        request(tags={"team": "vision"}),
    ]
    assert [other["ProcessingJobName"] == name for other in others] == [False, False, True]


@pytest.mark.parametrize(("shards", "instances"), [(1, 1), (2, 2), (9, 3)])
def test_no_more_instances_are_paid_for_than_there_are_shards(shards, instances):
    cluster = request(Work("cats", run="0123456789abcdef", shards=shards, images=shards))["ProcessingResources"]

    assert cluster["ClusterConfig"]["InstanceCount"] == instances


def test_the_instances_have_the_network_and_the_keys_of_the_file():
    network = {"security_group_ids": ("sg-1",), "subnets": ("subnet-1",)}

    found = request(vpc_config=network, kms_keys={"training_volume": "alias/own"}, algorithm="own", training=M5)

    assert ParamValidator().validate(found, SHAPE).generate_report() == ""
    assert found["NetworkConfig"]["VpcConfig"] == {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    assert found["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"] == "alias/own"


M5 = {"instance_type": "ml.m5.xlarge"}


@pytest.mark.parametrize("family", ["g4dn", "g6e", "r5d"])
def test_storage_that_the_hardware_encrypts_gets_no_key(family):
    preparation = {"runner": "processing", "instance_type": f"ml.{family}.xlarge"}

    found = request(kms_keys={"training_volume": "alias/own"}, preparation=preparation, algorithm="own", training=M5)

    assert "VolumeKmsKeyId" not in found["ProcessingResources"]["ClusterConfig"]


@pytest.mark.parametrize(
    ("missing", "words"),
    [("preparation_image", "make preparation-image"), ("preparation_role_arn", "output PreparationRoleArn")],
)
def test_a_deployment_without_image_or_role_is_told_how_to_get_it(missing, words):
    settings = SETTINGS.model_copy(update={missing: None})

    with pytest.raises(SettingsError, match=words):
        processing_request(CATS, WORK, settings=settings, region="eu-west-1")


def test_an_image_of_another_region_is_refused():
    with pytest.raises(SettingsError, match="region is us-east-1"):
        request(region="us-east-1")
