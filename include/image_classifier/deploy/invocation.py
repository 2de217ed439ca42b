"""Invokes an endpoint with one image, and checks its answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import code_of, is_absent
from image_classifier.aws.retry import repeat_on
from image_classifier.contracts.answers import check_probabilities, parse_probabilities
from image_classifier.contracts.errors import EndpointError, EndpointGoneError
from image_classifier.train.job_request import CONTENT_TYPE

if TYPE_CHECKING:
    from types_boto3_sagemaker_runtime import SageMakerRuntimeClient

MOST_TRIES = 6
PAUSE_S = 5.0


@dataclass(frozen=True)
class Answer:
    """The probabilities by class index, and the variant that answered, which has its training job's name."""

    probabilities: list[float]
    variant: str


def invoke(
    runtime_client: "SageMakerRuntimeClient",
    *,
    endpoint: str,
    image: bytes,
) -> Answer:
    """Invoke the endpoint with one JPEG or PNG; repeat it while the model is starting.

    Raises:
        PredictionError: the endpoint's answer is not a list of probabilities.
        EndpointGoneError: the endpoint does not exist.

    """
    try:
        return repeat_on(
            _is_starting,
            lambda: _ask(runtime_client, endpoint=endpoint, image=image),
            tries=MOST_TRIES,
            pause_s=PAUSE_S,
        )
    except ClientError as error:
        if not is_absent(error):
            raise
        message = (
            f"Endpoint {endpoint} is gone: somebody deleted it, perhaps with the classifier. Start a new run to deploy "
            "it again."
        )
        raise EndpointGoneError(message) from error


def _is_starting(error: ClientError) -> bool:
    return code_of(error) == "ModelNotReadyException"


def check_answer(answer: Answer, *, endpoint: Mapping[str, Any], num_classes: int) -> None:
    """Check that a variant of the endpoint answered with one probability per class.

    Args:
        answer: the endpoint's answer.
        endpoint: DescribeEndpoint's answer.
        num_classes: the number of the model's labels.

    Raises:
        EndpointError: a variant answered that the endpoint no longer has.
        PredictionError: the number of probabilities differs from the number of labels.

    """
    name, variants = endpoint["EndpointName"], [one["VariantName"] for one in endpoint["ProductionVariants"]]
    if answer.variant not in variants:
        message = f"Endpoint {name} answered with variant {answer.variant}, and has {', '.join(variants)}; try again."
        raise EndpointError(message)
    check_probabilities(answer.probabilities, num_labels=num_classes, training_job=answer.variant)


def _ask(runtime_client: "SageMakerRuntimeClient", *, endpoint: str, image: bytes) -> Answer:
    response = runtime_client.invoke_endpoint(EndpointName=endpoint, ContentType=CONTENT_TYPE, Body=image)
    return Answer(parse_probabilities(response["Body"].read()), response.get("InvokedProductionVariant", ""))
