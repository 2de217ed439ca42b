"""Checks model package groups and their versions without a server."""

from types import SimpleNamespace

import pytest
from tests.unit.local_aws.sagemaker.refusals import refusal

from local_aws.sagemaker.hosting.models import Models, served_container
from local_aws.sagemaker.protocol import validation
from local_aws.sagemaker.protocol.tags import Tags
from local_aws.sagemaker.registry.groups import ModelPackageGroups
from local_aws.sagemaker.registry.packages import ModelPackages
from local_aws.sagemaker.store import Store

IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/tiny:1"
ARTIFACT = "s3://b/model.tar.gz"
ARN = "arn:aws:sagemaker:us-east-1:000000000000"


class Api:
    """The groups of operations, with each request checked as the server checks it."""

    def __init__(self, store):
        aws = SimpleNamespace(
            arn=lambda kind, name: f"{ARN}:{kind}/{name}",
            object_exists=lambda uri: uri == ARTIFACT,
            check_role=lambda _: None,
        )
        aws.acting_as = lambda _role, session: aws
        images = SimpleNamespace(find=lambda uri: uri)
        self.groups = (
            ModelPackageGroups(aws=aws, store=store),
            ModelPackages(aws=aws, store=store),
            Models(aws=aws, store=store, images=images, unready_roles=SimpleNamespace(refuse=lambda *_, **__: False)),
            Tags(aws=aws, store=store),
        )

    def __getattr__(self, method):
        operation = "".join(word.capitalize() for word in method.split("_"))
        group = next(group for group in self.groups if hasattr(group, method))
        return lambda **request: getattr(group, method)(validation.validate(operation, request))


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "state.sqlite")
    yield store
    store.close()


@pytest.fixture
def api(store):
    api = Api(store)
    api.create_model_package_group(ModelPackageGroupName="digits")
    return api


def version(**changes):
    specification = {
        "Containers": [{"Image": IMAGE, "ModelDataUrl": ARTIFACT}],
        "SupportedContentTypes": ["application/x-image"],
        "SupportedResponseMIMETypes": ["application/json"],
    }
    return {"ModelPackageGroupName": "digits", "InferenceSpecification": specification} | changes


def test_versions_are_numbered_from_one_and_wait_for_approval(api):
    arns = [api.create_model_package(**version())["ModelPackageArn"] for _ in range(2)]

    assert arns == [f"{ARN}:model-package/digits/1", f"{ARN}:model-package/digits/2"]
    found = api.describe_model_package(ModelPackageName=arns[1])
    assert (found["ModelPackageGroupName"], found["ModelPackageVersion"]) == ("digits", 2)
    assert (found["ModelPackageStatus"], found["ModelApprovalStatus"]) == ("Completed", "PendingManualApproval")


def test_a_number_is_not_given_again_after_its_version_is_deleted(api):
    arn = api.create_model_package(**version())["ModelPackageArn"]
    api.delete_model_package(ModelPackageName=arn)

    assert api.create_model_package(**version())["ModelPackageArn"].endswith("/2")


def test_a_kill_between_a_version_and_its_number_loses_no_version(api, store):
    first = api.create_model_package(**version(ClientToken="t-1"))
    store.change("model-package-group", "digits", lambda group: group.pop("_LastVersion"))

    second = api.create_model_package(**version(ClientToken="t-2"))

    assert (first["ModelPackageArn"][-2:], second["ModelPackageArn"][-2:]) == ("/1", "/2")
    assert api.create_model_package(**version(ClientToken="t-1")) == first


def test_the_same_token_is_the_same_version(api):
    first = api.create_model_package(**version(ClientToken="t-1"))
    again = api.create_model_package(**version(ClientToken="t-1"))
    other = api.create_model_package(**version(ClientToken="t-2"))

    assert first == again
    assert other["ModelPackageArn"].endswith("/2")


def test_a_token_with_other_parameters_is_a_conflict(api):
    api.create_model_package(**version(ClientToken="t-1"))

    code, message = refusal(
        api.create_model_package, **version(ClientToken="t-1", ModelPackageDescription="another model")
    )

    assert code == "ConflictException"
    assert "model-package/digits/1" in message


def test_a_token_belongs_to_its_group(api):
    api.create_model_package_group(ModelPackageGroupName="letters")
    api.create_model_package(**version(ClientToken="t-1"))

    other = api.create_model_package(**version(ClientToken="t-1", ModelPackageGroupName="letters"))

    assert other["ModelPackageArn"].endswith("letters/1")


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (version(ModelPackageName="x"), "Both ModelPackageName and ModelPackageGroupName are provided"),
        ({"ModelPackageName": "x"}, "does not have unversioned model packages; AWS does."),
        ({}, "Missing ARN."),
        (version(ModelPackageGroupName="no"), f"ModelPackageGroup {ARN}:model-package-group/no does not exist."),
        (version(Tags=[{"Key": "a", "Value": "b"}]), "it uses the tags of its model package group"),
        ({"ModelPackageGroupName": "digits"}, "InferenceSpecification is required"),
        (version(InferenceSpecification={"Containers": [{}]}), "Image is required"),
        (
            version(InferenceSpecification={"Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://b/gone"}]}),
            "Could not find model data at s3://b/gone.",
        ),
        (version(CertifyForMarketplace=True), "does not have CertifyForMarketplace; AWS does."),
    ],
)
def test_a_version_that_cannot_be_is_refused_with_the_reason(api, request_, sentence):
    code, message = refusal(api.create_model_package, **request_)

    assert code == "ValidationException"
    assert sentence in message


def test_an_update_approves_and_merges_metadata(api):
    arn = api.create_model_package(**version(CustomerMetadataProperties={"a": "1", "b": "2"}))["ModelPackageArn"]

    api.update_model_package(
        ModelPackageArn=arn,
        ModelApprovalStatus="Approved",
        ApprovalDescription="better by 3 points",
        CustomerMetadataProperties={"b": "3", "c": "4"},
        CustomerMetadataPropertiesToRemove=["a"],
    )

    found = api.describe_model_package(ModelPackageName=arn)
    assert (found["ModelApprovalStatus"], found["ApprovalDescription"]) == ("Approved", "better by 3 points")
    assert found["CustomerMetadataProperties"] == {"b": "3", "c": "4"}
    assert found["LastModifiedTime"] >= found["CreationTime"]


def test_a_version_has_at_most_fifty_properties(api):
    full = {f"k{number}": "v" for number in range(50)}
    arn = api.create_model_package(**version(CustomerMetadataProperties=full))["ModelPackageArn"]

    _, message = refusal(api.update_model_package, ModelPackageArn=arn, CustomerMetadataProperties={"one-more": "v"})

    assert message == "A model package can have 50 CustomerMetadataProperties; it would have 51."
    assert api.describe_model_package(ModelPackageName=arn)["CustomerMetadataProperties"] == full


def test_metadata_with_json_in_it_is_refused_by_the_models_pattern(api):
    code, message = refusal(api.create_model_package, **version(CustomerMetadataProperties={"a": '{"x": 1}'}))

    assert code == "ValidationException"
    assert "customerMetadataProperties" in message


def listed(api, **request):
    answer = api.list_model_packages(**request)
    return [item["ModelPackageVersion"] for item in answer["ModelPackageSummaryList"]], answer.get("NextToken")


def test_versions_are_listed_oldest_first_by_approval_and_in_pages(api):
    arns = [api.create_model_package(**version())["ModelPackageArn"] for _ in range(3)]
    api.update_model_package(ModelPackageArn=arns[1], ModelApprovalStatus="Approved")

    assert listed(api, ModelPackageGroupName="digits")[0] == [1, 2, 3]
    assert listed(api, ModelPackageGroupName="digits", SortOrder="Descending")[0] == [3, 2, 1]
    assert listed(api, ModelPackageGroupName="digits", ModelApprovalStatus="Approved")[0] == [2]
    assert listed(api, ModelPackageType="Both")[0] == [1, 2, 3]
    assert listed(api)[0] == []
    page, token = listed(api, ModelPackageGroupName="digits", MaxResults=2, SortBy="Name")
    assert page == [1, 2]
    assert listed(api, ModelPackageGroupName="digits", NextToken=token, SortBy="Name") == ([3], None)


def test_versions_of_a_group_that_is_not_there_are_not_listed(api):
    assert refusal(api.list_model_packages, ModelPackageGroupName="no")[1].endswith(
        "model-package-group/no does not exist."
    )


def test_several_versions_are_described_at_once_and_missing_ones_named(api):
    arn = api.create_model_package(**version())["ModelPackageArn"]
    gone = f"{ARN}:model-package/digits/9"

    answer = api.batch_describe_model_package(ModelPackageArnList=[arn, gone])

    assert answer["ModelPackageSummaries"][arn]["ModelPackageVersion"] == 1
    assert answer["BatchDescribeModelPackageErrorMap"][gone] == {
        "ErrorCode": "ValidationException",
        "ErrorResponse": f"ModelPackage {gone} does not exist.",
    }


def test_a_group_is_made_once_and_deleted_when_it_is_empty(api):
    arn = api.create_model_package(**version())["ModelPackageArn"]

    again = refusal(api.create_model_package_group, ModelPackageGroupName="digits")
    full = refusal(api.delete_model_package_group, ModelPackageGroupName="digits")
    api.delete_model_package(ModelPackageName=arn)
    api.delete_model_package_group(ModelPackageGroupName=f"{ARN}:model-package-group/digits")

    assert again[0] == "ValidationException"
    assert again[1].startswith("Model Package Group already exists")
    assert full[0] == "ConflictException"
    assert refusal(api.describe_model_package_group, ModelPackageGroupName="digits")[1].endswith("does not exist.")


def test_tags_belong_to_the_group(api):
    arn = f"{ARN}:model-package-group/digits"
    api.create_model_package(**version())
    api.add_tags(ResourceArn=arn, Tags=[{"Key": "image-classifier", "Value": "digits"}])

    assert api.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "image-classifier", "Value": "digits"}]
    assert "Could not find resource" in refusal(api.list_tags, ResourceArn=f"{ARN}:model-package/digits/1")[1]


def test_an_arn_of_another_region_or_kind_is_refused(api):
    other = "arn:aws:sagemaker:eu-west-1:000000000000:model-package-group/digits"

    assert refusal(api.describe_model_package_group, ModelPackageGroupName=other) == (
        "ValidationException",
        "ARN should be scoped to correct region: us-east-1",
    )
    assert (
        "is not the ARN of a model-package-group"
        in refusal(api.describe_model_package_group, ModelPackageGroupName=f"{ARN}:model/digits")[1]
    )


def test_the_card_is_left_out_where_only_metadata_is_asked_for(api):
    card = {"ModelCardContent": "{}", "ModelCardStatus": "Draft"}
    arn = api.create_model_package(**version(ModelCard=card))["ModelPackageArn"]

    assert api.describe_model_package(ModelPackageName=arn)["ModelCard"] == card
    metadata = api.describe_model_package(ModelPackageName=arn, IncludedData="MetadataOnly")
    assert metadata["ModelCard"] == {"ModelCardStatus": "Draft"}


def made_model(api, arn, **container):
    api.create_model(ModelName="m", PrimaryContainer={"ModelPackageName": arn, **container})
    return api.describe_model(ModelName="m")


@pytest.mark.parametrize("status", ["PendingManualApproval", "Rejected"])
def test_a_model_is_made_of_an_approved_version_alone(api, status):
    arn = api.create_model_package(**version(ModelApprovalStatus=status))["ModelPackageArn"]

    code, message = refusal(api.create_model, ModelName="m", PrimaryContainer={"ModelPackageName": arn})

    assert code == "ValidationException"
    assert f"its ModelApprovalStatus is {status}" in message


def test_a_model_keeps_what_its_version_held(api):
    arn = api.create_model_package(**version(ModelApprovalStatus="Approved"))["ModelPackageArn"]
    model = made_model(api, arn, Environment={"A": "1"})
    api.delete_model_package(ModelPackageName=arn)

    assert model["PrimaryContainer"]["ModelPackageName"] == arn
    assert served_container(api.describe_model(ModelName="m")) == {
        "Image": IMAGE,
        "ModelDataUrl": ARTIFACT,
        "Environment": {"A": "1"},
    }


def test_the_environment_stands_in_the_version_or_in_the_model(api):
    containers = [{"Image": IMAGE, "ModelDataUrl": ARTIFACT, "Environment": {"A": "1"}}]
    approved = version(ModelApprovalStatus="Approved", InferenceSpecification={"Containers": containers})
    arn = api.create_model_package(**approved)["ModelPackageArn"]

    _, message = refusal(
        api.create_model, ModelName="m", PrimaryContainer={"ModelPackageName": arn, "Environment": {"B": "2"}}
    )

    assert message.startswith("Environment variable map cannot be specified both at Model Package")
    assert served_container(made_model(api, arn))["Environment"] == {"A": "1"}
