"""One question to an endpoint: an image goes out, probabilities and the model that gave them come back."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from image_classifier.errors import PredictionError
from image_classifier.resources.training_request import CONTENT_TYPE

if TYPE_CHECKING:
    from types_boto3_sagemaker_runtime import SageMakerRuntimeClient

MOST_TRIES = 6
PAUSE_S = 5.0
SHOWN_CHARACTERS = 200


@dataclass(frozen=True)
class Answer:
    """Probabilities by class index, and the variant that answered: the name of its training job."""

    probabilities: list[float]
    variant: str


def invoke(
    runtime_client: "SageMakerRuntimeClient",
    *,
    endpoint: str,
    image: bytes,
    pause: Callable[[float], None] = time.sleep,
) -> Answer:
    """Ask the endpoint about one JPEG or PNG; a model that is still starting is asked again.

    Raises:
        PredictionError: the endpoint's answer is not a list of probabilities.

    """
    for _ in range(MOST_TRIES - 1):
        try:
            return _ask(runtime_client, endpoint=endpoint, image=image)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ModelNotReadyException":
                raise
        pause(PAUSE_S)
    return _ask(runtime_client, endpoint=endpoint, image=image)


def parse_answer(body: bytes) -> list[float]:
    """Read both documented shapes, [0.1, 0.9] and {"prediction": [0.1, 0.9]}; the response's content type lies.

    Raises:
        PredictionError: it is neither.

    """
    try:
        answer: Any = json.loads(body)  # a line of JSON Lines ends in a newline, which JSON allows
    except ValueError as error:
        raise PredictionError(_unreadable(body)) from error
    values = answer.get("prediction") if isinstance(answer, dict) else answer
    if not isinstance(values, list) or not values or not all(_is_number(value) for value in values):
        raise PredictionError(_unreadable(body))
    return [float(value) for value in values]


def _ask(runtime_client: "SageMakerRuntimeClient", *, endpoint: str, image: bytes) -> Answer:
    response = runtime_client.invoke_endpoint(EndpointName=endpoint, ContentType=CONTENT_TYPE, Body=image)
    return Answer(parse_answer(response["Body"].read()), response.get("InvokedProductionVariant", ""))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _unreadable(body: bytes) -> str:
    shown = body[:SHOWN_CHARACTERS].decode("utf-8", "replace")
    return f"The endpoint answered {shown!r} and not a list of probabilities; is another algorithm's model behind it?"
