"""Checks that no other deployment of the account and region has a classifier of the same name."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from image_classifier.aws.names import endpoint_name
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import ResourceClashError
from image_classifier.plan.preflight import check_name
from image_classifier.plan.preflight_checks.finding import Finding, refusal

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient
    from types_boto3_sagemaker import SageMakerClient


def check_name_of(
    classifier: Classifier, *, sagemaker: "SageMakerClient", functions: "LambdaClient", settings: Settings
) -> Finding:
    """Check that a run would not overwrite the endpoint and the function of another deployment."""
    check, endpoint = f"name {classifier.name}", endpoint_name(classifier.name)
    try:
        check_name(sagemaker, functions, classifier=classifier, settings=settings)
    except ResourceClashError as error:
        command = f"aws sagemaker describe-endpoint --endpoint-name {endpoint} # its tags and age say whose it is"
        return Finding(check, "missing", str(error), command)
    except ClientError as error:
        return Finding(check, "not checked", f"endpoint {endpoint} cannot be read: {refusal(error)}")
    return Finding(check, "ok", "no other deployment of this account and region has it")
