"""Waits until SageMaker or Lambda can assume a role that was created a moment ago."""

from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import sentence
from image_classifier.aws.retry import repeat_on
from image_classifier.contracts.errors import AwsRefusalError

Response = TypeVar("Response")

ASSUMED_AFTER_TRIES = 13
ASSUMED_PAUSE_S = 5.0
# SageMaker's words and Lambda's. They say the same of a new role, which takes up to a minute to reach all of AWS, and
# of a role that does not exist or that does not trust the service.
UNASSUMED = ("could not assume role", "cannot be assumed by lambda")


def once_assumable(create: Callable[[], Response], *, what: str) -> Response:
    """Repeat a request, for at most a minute, while AWS cannot assume its role; a refused request creates nothing.

    Raises:
        AwsRefusalError: the role cannot be assumed after a minute either, so it is not just new.
        ClientError: another error.

    """
    try:
        return repeat_on(_is_unassumed, create, tries=ASSUMED_AFTER_TRIES, pause_s=ASSUMED_PAUSE_S)
    except ClientError as error:
        if not _is_unassumed(error):
            raise
        message = (
            f"{what}: {sentence(error)} AWS said so for a minute, so the role is not just new. Nothing was created. "
            "`make aws-preflight` (`image-classifier preflight`) shows which role does not exist or does not trust the "
            "service, with a command that corrects it; run this task again afterwards."
        )
        raise AwsRefusalError(message) from error


def _is_unassumed(error: ClientError) -> bool:
    return any(words in sentence(error).lower() for words in UNASSUMED)
