"""Invokes an endpoint with one image or with known images, and checks its answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import code_of, is_absent
from image_classifier.aws.retry import repeat_on
from image_classifier.contracts.answers import check_probabilities, parse_probabilities, ranked
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


@dataclass(frozen=True)
class LabelledImage:
    """A prepared validation image and the class it belongs to."""

    key: str
    label: str


@dataclass(frozen=True)
class DeployedModel:
    """The model that must answer: its training job, which is the variant's name, and its labels by class index."""

    training_job: str
    labels: tuple[str, ...]


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


def check_endpoint(
    classify: Callable[[bytes], tuple[Sequence[float], str]],
    *,
    read: Callable[[str], bytes],
    images: Sequence[LabelledImage],
    model: DeployedModel,
) -> str:
    """Invoke the endpoint with known images; return a text table of labels, predictions and confidences.

    A wrong class is not an error, because a model may err.

    Args:
        classify: sends an image's bytes; returns (probability per class, name of the variant that answered).
        read: returns the bytes of an S3 key.
        images: the known images.
        model: the model that must answer.

    Raises:
        EndpointError: `images` is empty, or another model answered.
        PredictionError: the number of probabilities differs from the number of classes.

    """
    if not images:
        raise EndpointError("No validation image is there to ask the endpoint about; give validation at least one")
    rows = [f"{'labelled':<24} {'predicted':<24} {'confidence':>10}  image"]
    for image in images:
        probabilities, variant = classify(read(image.key))
        _check_answer_of_model(probabilities, variant=variant, model=model)
        label, confidence = ranked(probabilities, labels=model.labels)[0]
        rows.append(f"{image.label:<24} {label:<24} {confidence:>10.3f}  {image.key}")
    return "\n".join(rows)


def _check_answer_of_model(probabilities: Sequence[float], *, variant: str, model: DeployedModel) -> None:
    if variant != model.training_job:
        message = f"The endpoint answered with the model of {variant}, expected {model.training_job}; deploy again"
        raise EndpointError(message)
    check_probabilities(probabilities, num_labels=len(model.labels), training_job=variant)
