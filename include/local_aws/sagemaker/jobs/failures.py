"""Defines why a job ends early, and the FailureReason for an error of this machine."""

from __future__ import annotations

import errno

import boto3.exceptions
from botocore.exceptions import BotoCoreError, ClientError

SERVICE_ERRORS = (ClientError, BotoCoreError, boto3.exceptions.Boto3Error)
MAX_REASON_CHARACTERS = 1024
INTERRUPTED = (
    "InternalServerError: The local SageMaker was stopped while the job ran, so its process ended. Start the job again."
)
UNEXPECTED = "InternalServerError: The local SageMaker failed unexpectedly; its own log says how."
# As AWS words it: github.com/DIAGNijmegen/rse-grand-challenge/issues/2631
NO_CAPACITY = (
    "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance type."
)


class JobFailedError(Exception):
    """The job ends as Failed; the message is its FailureReason."""


class JobStoppedError(Exception):
    """The job ends because of StopTrainingJob and the like, or of a time limit."""


def reason_of(error: Exception) -> str:
    """Return the FailureReason of a job that failed because of this machine or the services around it."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"ClientError: No space left on this machine's disk ({error}). Free some space, then start the job again."
        )
    if isinstance(error, ClientError):
        return f"ClientError: {error}"
    return f"InternalServerError: {type(error).__name__}: {error}"
