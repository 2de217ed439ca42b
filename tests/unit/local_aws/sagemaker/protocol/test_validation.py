"""Checks that requests are validated by botocore's model, with AWS's messages."""

import pytest
from tests.unit.local_aws.sagemaker.refusals import refusal

from local_aws.faults.counting import Faults
from local_aws.sagemaker.app import Service
from local_aws.sagemaker.aws import Aws
from local_aws.sagemaker.container import Limits
from local_aws.sagemaker.images import Images
from local_aws.sagemaker.platform import Platform
from local_aws.sagemaker.protocol import validation
from local_aws.sagemaker.protocol.validation import validate
from local_aws.sagemaker.store import Store


def test_a_good_request_is_returned_as_it_is():
    request = {"TrainingJobName": "digits-1"}

    assert validate("DescribeTrainingJob", request) == request


def test_a_missing_member_is_named():
    assert refusal(validate, "DescribeTrainingJob", {}) == (
        "ValidationException",
        "1 validation error detected: Value null at 'trainingJobName' failed to satisfy constraint: "
        "Member must not be null",
    )


def test_a_name_of_another_form_is_answered_with_the_pattern():
    assert refusal(validate, "DescribeTrainingJob", {"TrainingJobName": "my_job"})[1] == (
        "1 validation error detected: Value 'my_job' at 'trainingJobName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
    )


def test_every_problem_is_reported_at_once():
    message = refusal(validate, "ListTrainingJobs", {"MaxResults": 0, "SortBy": "Size"})[1]

    assert message.startswith("2 validation errors detected: ")
    assert (
        "Value '0' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 1"
        in message
    )
    assert "Value 'Size' at 'sortBy' failed to satisfy constraint: Member must satisfy enum value set: [" in message


def test_a_member_of_a_list_is_found_by_its_number():
    request = {"EndpointConfigName": "a", "ProductionVariants": [{"VariantName": "a"}, {"VariantName": "a_b"}]}

    assert "at 'productionVariants.2.member.variantName'" in refusal(validate, "CreateEndpointConfig", request)[1]


def test_values_of_a_map_are_checked():
    request = {"TrainingJobName": "a", "HyperParameters": {"epochs": "1" * 2501}}

    assert (
        "at 'hyperParameters' failed to satisfy constraint: Map value must satisfy constraint: "
        "[Member must have length less than or equal to 2500]"
    ) in refusal(validate, "CreateTrainingJob", request)[1]


@pytest.mark.parametrize("request_", [{"TrainingJobName": 7}, {"TrainingJobName": True}, "x", None])
def test_a_value_of_another_type_is_a_serialization_error(request_):
    assert refusal(validate, "DescribeTrainingJob", request_)[0] == "SerializationException"


def test_null_is_the_same_as_absent_and_unknown_members_are_left_alone():
    request = {"MaxResults": None, "NameContains": "a", "AddedByANewerClient": 1}

    assert validate("ListTrainingJobs", request) == {"NameContains": "a", "AddedByANewerClient": 1}


def test_null_is_the_same_as_absent_inside_a_member():
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": None, "InitialInstanceCount": 1}
    request = {"EndpointConfigName": "e", "ProductionVariants": [variant]}

    (found,) = validate("CreateEndpointConfig", request)["ProductionVariants"]

    assert found == {"VariantName": "v", "ModelName": "m", "InitialInstanceCount": 1}


def test_tag_keys_may_hold_any_letter():
    arn = "arn:aws:sagemaker:us-east-1:000000000000:model/a"

    validate("AddTags", {"ResourceArn": arn, "Tags": [{"Key": "größe:1/ä", "Value": "x y"}]})
    assert (
        "failed to satisfy constraint"
        in refusal(validate, "AddTags", {"ResourceArn": arn, "Tags": [{"Key": "a*", "Value": ""}]})[1]
    )


def test_every_pattern_of_an_implemented_operation_can_be_checked(tmp_path):
    store = Store(tmp_path / "state.sqlite")
    aws = Aws("http://127.0.0.1:1")
    platform = Platform(aws=aws, store=store, images=Images({}), limits=Limits(), faults=Faults(), state=tmp_path)
    service = Service(platform)
    patterns = set()
    for operation in service.operations:
        patterns |= patterns_of(validation.service_model().operation_model(operation).input_shape)
    store.close()

    assert len(patterns) > 30
    for pattern in patterns:
        validation.compiled(pattern)


def patterns_of(shape, seen=()):
    """Every pattern below a shape of botocore's model."""
    if shape is None or shape.name in seen:
        return set()
    found = {shape.metadata["pattern"]} if "pattern" in shape.metadata else set()
    below = {
        "structure": lambda: shape.members.values(),
        "list": lambda: [shape.member],
        "map": lambda: [shape.key, shape.value],
    }
    for member in below.get(shape.type_name, list)():
        found |= patterns_of(member, (*seen, shape.name))
    return found


def test_an_answer_has_no_member_that_the_api_does_not_have():
    answer = {"ModelName": "m", "_ServedContainer": {}, "Tags": []}

    assert validation.known_members("DescribeModel", answer) == {"ModelName": "m"}
    assert validation.known_members("DeleteModel", answer) == {}


def test_descriptions_may_have_punctuation_and_symbols():
    request = {"ModelPackageGroupName": "g", "ModelPackageGroupDescription": "Digits: 97.5 % (±1), €5/run, «ok»!"}

    assert validation.validate("CreateModelPackageGroup", request) == request
