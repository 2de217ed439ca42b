"""No error of botocore or of the operating system leaves a step."""

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from image_classifier.contracts.errors import AwsRefusalError, DatasetError, ResourceBusyError
from image_classifier_airflow.steps import with_our_errors


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
