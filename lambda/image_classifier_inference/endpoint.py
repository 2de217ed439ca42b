"""One image to the endpoint, one vector back; what passes by itself is tried again while there is time."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore import exceptions
from botocore.exceptions import ClientError

from image_classifier.contracts.answers import parse_probabilities
from image_classifier.contracts.errors import EndpointError, ModelRefusalError

if TYPE_CHECKING:
    from types_boto3_sagemaker_runtime.client import SageMakerRuntimeClient

CONTENT_TYPE = "application/x-image"
ATTEMPTS = 5
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
READ_TIMEOUT_S = 20  # one image takes the slowest instance well below a second; two of these fit into one run
RESERVE_S = 5.0  # to write the record and to report the failure
REFUSED = {400, 413, 415, 422}  # a container's words for: not these bytes
TOO_LARGE = 413
MOST_SHOWN = 300  # characters of a container's own words
THROTTLED = {"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"}  # HTTP 400


@dataclass(frozen=True)
class Answer:
    """The endpoint's answer; the variant is the training job of the model that answered, the request id SageMaker's."""

    probabilities: list[float]
    variant: str
    endpoint_ms: float
    request_id: str | None = None


@dataclass(frozen=True)
class Endpoint:
    """One SageMaker endpoint. ``runtime`` must not retry by itself: it does not know how much time is left."""

    runtime: "SageMakerRuntimeClient"
    name: str
    pause: Callable[[float], None] = time.sleep

    def ask(self, body: bytes, *, remaining_s: Callable[[], float]) -> Answer:
        """Ask the model about one JPEG or PNG.

        Raises:
            ModelRefusalError: it does not take this image, now or later.
            EndpointError: it gave no answer; the same image may get one later.
            PredictionError: it answered something else than numbers.

        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._ask_once(body)
            except (ClientError, exceptions.ConnectionError, exceptions.HTTPClientError) as error:
                _raise_refusal(error)
                pause_s = _pause_s(attempt)
                in_time = remaining_s() > pause_s + READ_TIMEOUT_S + RESERVE_S
                if not _may_pass(error) or attempt == ATTEMPTS or not in_time:
                    message = f"Endpoint {self.name} gave no answer in {attempt} attempt(s): {error}"
                    raise EndpointError(message) from error
                self.pause(pause_s)
        raise EndpointError(f"Endpoint {self.name} was not asked")  # not reached: the last attempt returns or raises

    def _ask_once(self, body: bytes) -> Answer:
        started = time.perf_counter()
        response = self.runtime.invoke_endpoint(EndpointName=self.name, ContentType=CONTENT_TYPE, Body=body)
        content = response["Body"].read()
        elapsed_ms = (time.perf_counter() - started) * 1000
        return Answer(
            parse_probabilities(content),
            response["InvokedProductionVariant"],
            round(elapsed_ms, 1),
            request_id=response.get("ResponseMetadata", {}).get("RequestId"),
        )


def _pause_s(attempt: int) -> float:
    """Growing, and different for each function that was turned away at the same moment."""
    ceiling_s: float = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**attempt)
    return random.uniform(0.5, 1) * ceiling_s  # noqa: S311 - no secret


def _raise_refusal(error: Exception) -> None:
    """Raise ModelRefusalError if the bytes themselves are refused: by the container, or because they are too many."""
    if not isinstance(error, ClientError):
        return
    response: Mapping[str, Any] = error.response
    code, words = response["Error"]["Code"], str(response.get("OriginalMessage") or response["Error"]["Message"])
    by_container = code == "ModelError" and response.get("OriginalStatusCode") in REFUSED
    too_large = response["ResponseMetadata"]["HTTPStatusCode"] == TOO_LARGE or (
        code == "ValidationError" and "length less than or equal to" in words
    )
    if by_container or too_large:
        raise ModelRefusalError(f"The endpoint does not take the image: {words[:MOST_SHOWN]}") from error


def _may_pass(error: Exception) -> bool:
    """Whether the same request may succeed in a moment: throttling, a model that loads, a fault of the server."""
    if not isinstance(error, ClientError):
        return True
    response: Mapping[str, Any] = error.response
    status: int = response.get("OriginalStatusCode") or response["ResponseMetadata"]["HTTPStatusCode"]
    return error.response["Error"]["Code"] in THROTTLED or status == 429 or status >= 500
