"""Checks which rights a caller of each operation of SageMaker needs."""

import pytest

from local_aws.sagemaker.protocol.authorization import checks, invoke_checks

ARN = "arn:aws:sagemaker:us-east-1:000000000000"
ROLE = "arn:aws:iam::000000000000:role/training"


def needed(operation, **request):
    return [(check["action"], check["resource"]) for check in checks(operation, request)]


@pytest.mark.parametrize(
    ("operation", "request_", "resource"),
    [
        ("DescribeTrainingJob", {"TrainingJobName": "a"}, f"{ARN}:training-job/a"),
        ("StopTransformJob", {"TransformJobName": "a"}, f"{ARN}:transform-job/a"),
        ("DescribeProcessingJob", {"ProcessingJobName": "a"}, f"{ARN}:processing-job/a"),
        (
            "DescribeHyperParameterTuningJob",
            {"HyperParameterTuningJobName": "a"},
            f"{ARN}:hyper-parameter-tuning-job/a",
        ),
        ("DeleteModel", {"ModelName": "A"}, f"{ARN}:model/a"),
        ("DescribeModelPackage", {"ModelPackageName": f"{ARN}:model-package/g/1"}, f"{ARN}:model-package/g/1"),
        ("CreateModelPackage", {"ModelPackageGroupName": "g"}, f"{ARN}:model-package/g/*"),
        ("UpdateModelPackage", {"ModelPackageArn": f"{ARN}:model-package/g/1"}, f"{ARN}:model-package/g/1"),
        ("UpdateEndpointWeightsAndCapacities", {"EndpointName": "a"}, f"{ARN}:endpoint/a"),
        ("ListTags", {"ResourceArn": f"{ARN}:model/a"}, f"{ARN}:model/a"),
        ("ListModels", {}, "*"),
    ],
)
def test_an_operation_is_checked_on_the_resource_that_it_names(operation, request_, resource):
    assert needed(operation, **request_) == [(f"sagemaker:{operation}", resource)]


@pytest.mark.parametrize("operation", ["CreateEndpoint", "UpdateEndpoint"])
def test_an_endpoint_needs_the_right_on_its_config_too(operation):
    assert needed(operation, EndpointName="a", EndpointConfigName="b") == [
        (f"sagemaker:{operation}", f"{ARN}:endpoint/a"),
        (f"sagemaker:{operation}", f"{ARN}:endpoint-config/b"),
    ]


def test_every_role_in_a_request_is_passed_once_and_to_sagemaker():
    definition = {"RoleArn": ROLE, "StaticHyperParameters": {}}
    request = {"HyperParameterTuningJobName": "a", "TrainingJobDefinition": definition, "Definitions": [definition]}

    found = checks("CreateHyperParameterTuningJob", request)

    passed = [check for check in found if check["action"] == "iam:PassRole"]
    context = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    assert passed == [{"action": "iam:PassRole", "resource": ROLE, "context": context}]


def test_tags_of_a_new_resource_are_in_the_context_and_need_addtags():
    tags = [{"Key": "image-classifier", "Value": "digits"}]
    context = {"aws:TagKeys": ["image-classifier"], "aws:RequestTag/image-classifier": "digits"}

    found = checks("CreateModel", {"ModelName": "a", "ExecutionRoleArn": ROLE, "Tags": tags})

    assert [(check["action"], check["context"]) for check in found[:2]] == [
        ("sagemaker:CreateModel", context),
        ("sagemaker:AddTags", context),
    ]
    assert found[2]["action"] == "iam:PassRole"


def test_an_invocation_is_checked_on_its_endpoint():
    assert [check["resource"] for check in invoke_checks("digits")] == [f"{ARN}:endpoint/digits"]
