"""Sends one image to the endpoint and returns its answer; transient errors are retried while there is time."""

import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore import exceptions
from botocore.exceptions import ClientError

from image_classifier.contracts.answers import parse_probabilities
from image_classifier.contracts.errors import EndpointError, EndpointGoneError, ModelRefusalError

if TYPE_CHECKING:
    from types_boto3_sagemaker_runtime.client import SageMakerRuntimeClient

CONTENT_TYPE = "application/x-image"
ATTEMPTS = 5
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
READ_TIMEOUT_S = 20  # the slowest instance needs less than a second per image; an invocation has time for two time-outs
RESERVE_S = 5.0  # reserved for writing the record and reporting the failure
REFUSED = {400, 413, 415, 422}  # the container's status codes for bytes that it refuses
TOO_LARGE = 413
MOST_SHOWN = 300  # characters of the container's message in an error
THROTTLED = {"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"}  # HTTP 400


@dataclass(frozen=True)
class Answer:
    """The endpoint's answer: probabilities by class index, and the variant, which has its training job's name."""

    probabilities: list[float]
    variant: str
    endpoint_ms: float
    request_id: str | None = None


def _no_limit() -> float:
    return math.inf


@dataclass(frozen=True)
class Endpoint:
    """One SageMaker endpoint.

    Attributes:
        runtime: the client; botocore's retries must be off in it, because they ignore the remaining time.
        name: the endpoint's name.
        pause: waits for a number of seconds.
        remaining_s: returns the seconds that the invocation has left; see `Inference.within`.

    """

    runtime: "SageMakerRuntimeClient"
    name: str
    pause: Callable[[float], None] = time.sleep
    remaining_s: Callable[[], float] = _no_limit

    def ask(self, body: bytes) -> Answer:
        """Invoke the endpoint with the bytes of one JPEG or PNG.

        Raises:
            ModelRefusalError: the model refuses this image; a retry would not help.
            EndpointGoneError: the endpoint does not exist.
            EndpointError: the endpoint gave no answer; a later request may succeed.
            PredictionError: the answer is not a list of numbers.

        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._ask_once(body)
            except (ClientError, exceptions.ConnectionError, exceptions.HTTPClientError) as error:
                _raise_refusal(error)
                pause_s = _pause_s(attempt)
                in_time = self.remaining_s() > pause_s + READ_TIMEOUT_S + RESERVE_S
                if not _may_pass(error) or attempt == ATTEMPTS or not in_time:
                    message = f"Endpoint {self.name} gave no answer in {attempt} attempt(s): {error}"
                    raise (EndpointGoneError if _is_gone(error) else EndpointError)(message) from error
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
    """Return an exponentially growing pause with jitter, so that throttled functions do not retry together."""
    ceiling_s: float = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**attempt)
    return random.uniform(0.5, 1) * ceiling_s  # noqa: S311 - no secret


def _raise_refusal(error: Exception) -> None:
    """Raise ModelRefusalError if the container refuses the bytes, or if there are too many of them."""
    if not isinstance(error, ClientError):
        return
    response: Mapping[str, Any] = error.response
    code, words = response["Error"]["Code"], str(response.get("OriginalMessage") or response["Error"]["Message"])
    by_container = code == "ModelError" and response.get("OriginalStatusCode") in REFUSED
    too_large = response["ResponseMetadata"]["HTTPStatusCode"] == TOO_LARGE or (
        code == "ValidationError" and "length less than or equal to" in words
    )
    if by_container or too_large:
        raise ModelRefusalError(f"The endpoint refuses the image: {words[:MOST_SHOWN]}") from error


def _is_gone(error: Exception) -> bool:
    """Return whether the endpoint does not exist, which only the message of SageMaker's runtime says."""
    if not isinstance(error, ClientError) or error.response["Error"]["Code"] != "ValidationError":
        return False
    return "not found" in error.response["Error"]["Message"]


def _may_pass(error: Exception) -> bool:
    """Return whether the error is transient: throttling, a model that is loading, or a server error."""
    if not isinstance(error, ClientError):
        return True
    response: Mapping[str, Any] = error.response
    status: int = response.get("OriginalStatusCode") or response["ResponseMetadata"]["HTTPStatusCode"]
    return error.response["Error"]["Code"] in THROTTLED or status == 429 or status >= 500
