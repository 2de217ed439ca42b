from datetime import UTC, datetime

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber

from image_classifier.evaluate.proportions import proportion
from image_classifier.evaluate.report.model import DatasetVersion, Report
from image_classifier.promote import registry

GROUP = "image-classifier-cats"
GROUP_ARN = f"arn:aws:sagemaker:us-east-1:123456789012:model-package-group/{GROUP}"
ARN = f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{GROUP}/1"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
CLIENT = boto3.Session("a", "b", region_name="us-east-1").client("sagemaker")
MODEL = registry.TrainedModel(
    "job-1", "1.dkr.ecr.us-east-1.amazonaws.com/image-classification:1", "s3://b/m.tar.gz", "own"
)
REPORT = Report.model_construct(
    accuracy=proportion(950, 1000),
    dataset=DatasetVersion(fingerprint="f00", test_manifest="0badcafe", train=1, validation=1, test=1000),
)


@pytest.fixture
def stub():
    with Stubber(CLIENT) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def group(stub, *, there=True, tag="cats"):
    if not there:
        stub.add_client_error("describe_model_package_group", "ValidationException", "does not exist")
        return
    described = {"ModelPackageGroupName": GROUP, "ModelPackageGroupArn": GROUP_ARN, "CreationTime": NOW}
    answer = {**described, "CreatedBy": {}, "ModelPackageGroupStatus": "Completed"}
    stub.add_response("describe_model_package_group", answer, {"ModelPackageGroupName": GROUP})
    if tag:
        tags = {"Tags": [{"Key": "image-classifier", "Value": tag}]}
        stub.add_response("list_tags", tags, {"ResourceArn": GROUP_ARN})


def versions(stub, *jobs):
    found = [
        {
            "ModelPackageArn": f"{ARN[:-1]}{number}",
            "CreationTime": NOW,
            "ModelPackageStatus": "Completed",
            "ModelPackageDescription": job,
        }
        for number, job in enumerate(jobs, start=1)
    ]
    stub.add_response("list_model_packages", {"ModelPackageSummaryList": found}, {"ModelPackageGroupName": GROUP})


def test_a_model_is_registered_with_its_figures_and_its_report(stub):
    versions(stub, "job-0")
    stub.add_response(
        "create_model_package",
        {"ModelPackageArn": ARN},
        {
            "ModelPackageGroupName": GROUP,
            "ModelPackageDescription": "job-1",
            "InferenceSpecification": ANY,
            "ModelApprovalStatus": "PendingManualApproval",
            "CustomerMetadataProperties": {
                "training-job": "job-1",
                "algorithm": "own",
                "labels": "1abe15",
                "dataset": "f00",
                "test-manifest": "0badcafe",
                "test-images": "1000",
                "test-accuracy": "0.9500",
                "test-accuracy-low": "0.9347",
                "test-accuracy-high": "0.9619",
            },
            "ClientToken": ANY,
            "ModelMetrics": {
                "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": "s3://b/report.json"}}
            },
        },
    )

    arn = registry.ensure_version(
        CLIENT, MODEL, group=GROUP, labels="1abe15", report=REPORT, report_uri="s3://b/report.json"
    )

    assert arn == ARN


def test_a_retry_makes_no_second_version(stub):
    versions(stub, "job-0", "job-1")

    assert registry.ensure_version(CLIENT, MODEL, group=GROUP, labels="1abe15", report=None, report_uri="").endswith(
        "/2"
    )


def test_a_retry_that_does_not_find_the_version_yet_sends_the_same_token(stub, monkeypatch):
    tokens = []
    monkeypatch.setattr(
        CLIENT, "create_model_package", lambda **r: tokens.append(r["ClientToken"]) or {"ModelPackageArn": ARN}
    )
    for _ in range(2):
        versions(stub)
        registry.ensure_version(CLIENT, MODEL, group=GROUP, labels="1abe15", report=None, report_uri="")

    assert tokens[0] == tokens[1]
    assert len(tokens[0]) <= 36


def test_a_group_is_made_once_with_the_classifiers_tags(stub):
    tags = [{"Key": "image-classifier", "Value": "cats"}]
    group(stub, there=False)
    wanted = {"ModelPackageGroupName": GROUP, "ModelPackageGroupDescription": ANY, "Tags": tags}
    stub.add_response("create_model_package_group", {"ModelPackageGroupArn": GROUP_ARN}, wanted)
    group(stub, tag=None)

    assert {registry.ensure_group(CLIENT, classifier="cats", tags=tags) for _ in range(2)} == {GROUP}


def test_a_group_that_another_try_made_meanwhile_is_used(stub):
    group(stub, there=False)
    stub.add_client_error(
        "create_model_package_group", "ValidationException", f"Model Package Group already exists: {GROUP_ARN}"
    )

    assert registry.ensure_group(CLIENT, classifier="cats", tags=[]) == GROUP


def test_a_group_that_aws_refuses_to_make_is_an_error(stub):
    group(stub, there=False)
    stub.add_client_error("create_model_package_group", "AccessDeniedException", "not authorized")

    with pytest.raises(ClientError, match="not authorized"):
        registry.ensure_group(CLIENT, classifier="cats", tags=[])


def test_what_was_decided_is_noted_within_the_length_that_aws_allows(stub):
    wanted = {"ModelPackageArn": ARN, "ModelApprovalStatus": "Rejected", "ApprovalDescription": "x" * 1024}
    stub.add_response("update_model_package", {"ModelPackageArn": ARN}, wanted)

    registry.set_approval(CLIENT, ARN, status="Rejected", why="x" * 2000)


def test_versions_are_deleted_before_their_group(stub):
    group(stub)
    versions(stub, "job-1")
    stub.add_response("delete_model_package", {}, {"ModelPackageName": ARN})
    group(stub)
    stub.add_response("delete_model_package_group", {}, {"ModelPackageGroupName": GROUP})

    registry.delete_registry(CLIENT, classifier="cats")


def test_a_group_of_another_is_left_alone(stub):
    group(stub, tag="cats-2")
    group(stub, tag="cats-2")

    registry.delete_registry(CLIENT, classifier="cats")
