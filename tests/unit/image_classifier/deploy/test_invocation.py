"""Checks that an endpoint's answer is read in both forms, whatever its content type."""

import io

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from image_classifier.contracts.errors import EndpointError, EndpointGoneError, PredictionError
from image_classifier.deploy.invocation import Answer, check_answer, invoke


@pytest.fixture
def runtime():
    return boto3.client("sagemaker-runtime", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")


@pytest.fixture
def aws(runtime):
    with Stubber(runtime) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def answers(aws, body):
    response = {
        "Body": StreamingBody(io.BytesIO(body), len(body)),
        "ContentType": "application/octet-stream",
        "InvokedProductionVariant": "job",
    }
    aws.add_response(
        "invoke_endpoint", response, {"EndpointName": "cats", "ContentType": "application/x-image", "Body": b"jpeg"}
    )


def is_not_ready(aws):
    aws.add_client_error("invoke_endpoint", "ModelNotReadyException", "wait", 429)


def test_an_answer_has_probabilities_and_the_model_that_gave_them(runtime, aws):
    answers(aws, b"[0.25, 0.75]")

    assert invoke(runtime, endpoint="cats", image=b"jpeg") == Answer([0.25, 0.75], "job")


def test_a_model_that_still_starts_is_asked_again(runtime, aws, pauses):
    is_not_ready(aws)
    is_not_ready(aws)
    answers(aws, b"[1.0]")

    assert invoke(runtime, endpoint="cats", image=b"jpeg").probabilities == [1.0]
    assert len(pauses) == 2


def test_asking_again_comes_to_an_end(runtime, aws):
    for _ in range(6):
        is_not_ready(aws)

    with pytest.raises(ClientError, match="ModelNotReady"):
        invoke(runtime, endpoint="cats", image=b"jpeg")


def test_an_image_the_model_refuses_is_not_asked_again(runtime, aws):
    aws.add_client_error("invoke_endpoint", "ModelError", "bad image", 424)

    with pytest.raises(ClientError, match="bad image"):
        invoke(runtime, endpoint="cats", image=b"jpeg")


CATS = {"EndpointName": "cats", "ProductionVariants": [{"VariantName": "job"}]}


def test_a_variant_that_the_endpoint_no_longer_has_is_an_error():
    with pytest.raises(EndpointError, match="answered with variant earlier, and has job"):
        check_answer(Answer([0.25, 0.75], "earlier"), endpoint=CATS, num_classes=2)


def test_a_variant_must_answer_one_probability_per_label():
    check_answer(Answer([0.25, 0.75], "job"), endpoint=CATS, num_classes=2)

    with pytest.raises(PredictionError, match="answered 2 probabilities for 10 labels"):
        check_answer(Answer([0.25, 0.75], "job"), endpoint=CATS, num_classes=10)


def test_an_endpoint_that_was_deleted_is_reported_at_once(runtime, aws):
    aws.add_client_error("invoke_endpoint", "ValidationError", "Endpoint cats of account 123456789012 not found.", 400)

    with pytest.raises(EndpointGoneError, match="Endpoint cats is gone"):
        invoke(runtime, endpoint="cats", image=b"jpeg")
