"""Checks that a task raises no error of botocore or of the operating system."""

import pytest
from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    EndpointConnectionError,
    MetadataRetrievalError,
    NoCredentialsError,
)
from botocore.retries.standard import ThrottledRetryableChecker, TransientRetryableChecker

from image_classifier.aws.client_errors import is_transient
from image_classifier.contracts.errors import AwsRefusalError, DatasetError, ResourceBusyError
from image_classifier_airflow.aws_errors import with_our_errors
from image_classifier_airflow.operators.function import LambdaFunctionOperator
from image_classifier_airflow.operators.hosting import EndpointConfigOperator, EndpointOperator, ModelOperator
from image_classifier_airflow.operators.notification import UploadTriggerOperator
from image_classifier_airflow.operators.processing import ProcessingJobOperator
from image_classifier_airflow.operators.training import TrainingJobOperator
from image_classifier_airflow.operators.transform import TransformJobOperator

OPERATORS = [
    LambdaFunctionOperator,
    EndpointConfigOperator,
    EndpointOperator,
    ModelOperator,
    UploadTriggerOperator,
    TrainingJobOperator,
    ProcessingJobOperator,
    TransformJobOperator,
]
EVENT = {"status": "finished", "job_name": "job"}


def refusal(code, status=400):
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "GetObject")


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (refusal("AccessDenied", 403), AwsRefusalError),
        (refusal("NoSuchKey", 404), AwsRefusalError),
        (NoCredentialsError(), AwsRefusalError),
        (PermissionError("a.jpg"), AwsRefusalError),
        (refusal("SlowDown", 503), ResourceBusyError),
        (refusal("ExpiredToken"), ResourceBusyError),
        (refusal("RequestTimeout"), ResourceBusyError),
        (refusal("RequestThrottled"), ResourceBusyError),
        (CredentialRetrievalError(provider="iam-role", error_msg="no answer"), ResourceBusyError),
        (MetadataRetrievalError(error_msg="no answer"), ResourceBusyError),
        (EndpointConnectionError(endpoint_url="https://s3"), ResourceBusyError),
        (DatasetError("two classes"), DatasetError),
    ],
    ids=repr,
)
def test_each_error_that_leaves_a_step_is_ours(error, ours):
    def prepare(_):
        raise error

    with pytest.raises(ours) as caught:
        with_our_errors(prepare)(1)

    assert caught.value is error or ("prepare" in str(caught.value) and caught.value.__cause__ is error)


PERMANENT = {"LimitExceededException"}  # CloudWatch Logs: a quota, which another try exceeds again


def test_what_botocore_repeats_is_tried_again_later():
    repeated = {
        *TransientRetryableChecker._TRANSIENT_ERROR_CODES,
        *ThrottledRetryableChecker._THROTTLED_ERROR_CODES,
    }

    assert {code for code in repeated if not is_transient(refusal(code))} == PERMANENT


class Refused:
    """An operator to which AWS refuses everything."""

    task_id = "deploy"
    error = refusal("AccessDenied", 403)

    def __getattr__(self, name):
        raise self.error

    def __setattr__(self, name, value):
        raise self.error


@pytest.mark.parametrize("operator", OPERATORS)
def test_the_errors_of_an_operator_are_ours_and_name_its_task(operator):
    execute = operator.execute.__wrapped__  # without Airflow's check that a task runs

    with pytest.raises(AwsRefusalError, match=r"^deploy: "):
        execute(Refused(), {"ti": None})


@pytest.mark.parametrize("operator", [operator for operator in OPERATORS if "execute_complete" in vars(operator)])
def test_so_are_those_of_an_operator_that_is_resumed(operator):
    with pytest.raises(AwsRefusalError, match=r"^deploy: "):
        operator.execute_complete(Refused(), {"ti": None}, {"status": "finished", "job_name": "job"})
