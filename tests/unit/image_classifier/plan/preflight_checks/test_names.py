"""Checks what the preflight says about a classifier's name that another deployment has."""

import pytest
from botocore.exceptions import ClientError

from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.plan.preflight_checks.names import check_name_of

SETTINGS = Settings(
    bucket="a-bucket",
    sagemaker_role_arn="arn:aws:iam::123456789012:role/sagemaker",
    function_role_arn="arn:aws:iam::123456789012:role/function",
    failure_queue_arn="arn:aws:sqs:us-east-1:123456789012:failures",
)


class Account:
    """An endpoint that serves a model of this bucket, and no function."""

    def __init__(self, bucket, code):
        self.bucket, self.code = bucket, code

    def describe_endpoint(self, EndpointName):  # noqa: N803
        if self.code:
            raise ClientError({"Error": {"Code": self.code, "Message": "You may not."}}, "DescribeEndpoint")
        return {"EndpointConfigName": EndpointName}

    def describe_endpoint_config(self, EndpointConfigName):  # noqa: N803
        return {"ProductionVariants": [{"ModelName": EndpointConfigName}]}

    def describe_model(self, ModelName):  # noqa: N803
        return {"PrimaryContainer": {"ModelDataUrl": f"s3://{self.bucket}/{ModelName}/model.tar.gz"}}

    def get_function(self, FunctionName):  # noqa: N803
        raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": FunctionName}}, "GetFunction")


@pytest.mark.parametrize(
    ("bucket", "code", "status", "found"),
    [
        ("a-bucket", "", "ok", "no other deployment"),
        ("", "ResourceNotFound", "ok", "no other deployment"),
        ("another", "", "missing", "image-classifier-cats serves a model of s3://another"),
        ("", "AccessDeniedException", "not checked", "You may not."),
    ],
)
def test_a_preflight_says_whether_another_deployment_has_the_name(bucket, code, status, found):
    account, cats = Account(bucket, code), Classifier(name="cats", source="cats")

    finding = check_name_of(cats, sagemaker=account, functions=account, settings=SETTINGS)

    assert (finding.check, finding.status) == ("name cats", status)
    assert found in finding.found
    assert ("describe-endpoint --endpoint-name image-classifier-cats" in finding.command) == (status == "missing")
