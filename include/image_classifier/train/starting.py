"""Starts a training or tuning job on the first instance type that the account's quotas allow."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import exists_already, is_invalid, is_limit, is_transient, sentence
from image_classifier.aws.jobs.kinds import JobKind
from image_classifier.contracts.errors import TrainingInputError, TrainingServiceError

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient

log = logging.getLogger(__name__)

Request = Mapping[str, Any]


def start_job(
    sagemaker: "SageMakerClient",
    requests: Sequence[Request],
    *,
    kind: JobKind,
    machines: Callable[[Request], str],
    advice: str,
) -> Literal["started", "adopted"]:
    """Create the job with the first request that the account's quotas allow.

    A job of this name was created by an earlier try of the same task, and is adopted.

    Args:
        sagemaker: the SageMaker client.
        requests: Create requests of one name, for the preferred instance type and its alternatives.
        kind: the kind of job.
        machines: returns the instances of a request as text.
        advice: what to do if every quota is reached, for the error message.

    Raises:
        TrainingInputError: AWS refuses the request; nothing was created.
        TrainingServiceError: every quota is reached, or AWS has a transient error.
        AwsRefusalError: the role cannot be assumed.

    """
    job = f"{kind.words.capitalize()} {requests[0][kind.name_key]}"
    refused = []
    for request in requests:
        try:
            if not _was_created(sagemaker, request, kind=kind, job=job):
                return "adopted"
        except ClientError as error:
            if not is_limit(error):
                raise
            refused.append(sentence(error))
            log.warning("%s: no quota for %s", job, machines(request))
        else:
            log.info("%s created on %s", job, machines(request))
            return "started"
    raise TrainingServiceError(f"{job} was not created. {' '.join(refused)} {advice}")


def _was_created(sagemaker: "SageMakerClient", request: Request, *, kind: JobKind, job: str) -> bool:
    try:
        kind.create(sagemaker, request)
    except ClientError as error:
        if exists_already(error):
            return False
        if is_invalid(error):
            raise TrainingInputError(f"{job} was not created, AWS refuses the request: {sentence(error)}") from error
        if is_transient(error):
            message = f"{job} was not created, AWS has a transient error: {sentence(error)}"
            raise TrainingServiceError(message) from error
        raise
    return True
