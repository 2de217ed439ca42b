"""Classifies how training jobs end, and raises the error that fits the end."""

from collections.abc import Mapping
from typing import Any, Literal

from image_classifier.contracts.errors import (
    TrainingError,
    TrainingInputError,
    TrainingServiceError,
    TrainingStoppedError,
)
from image_classifier.train.failures import cause_of, is_remedied_elsewhere, remedy_for

# input: the same job would fail again; elsewhere: it may succeed once permissions, keys or network are corrected;
# wait_limit: managed spot had no instance for long enough in time; stopped: somebody stopped the job.
End = Literal[
    "completed", "input", "elsewhere", "capacity", "service", "time_limit", "wait_limit", "stopped", "unknown"
]

NO_CAPACITY = ("CapacityError", "Unable to provision requested ML compute capacity", "InsufficientInstanceCapacity")
_STOPS: Mapping[str, End] = {"MaxRuntimeExceeded": "time_limit", "MaxWaitTimeExceeded": "wait_limit"}


def end_of(job: Mapping[str, Any]) -> End:
    """Return how an ended job ended."""
    status = job["TrainingJobStatus"]
    if status == "Completed":
        return "completed"
    if status in ("Stopped", "Stopping"):
        return _STOPS.get(job.get("SecondaryStatus", ""), "stopped")
    return _failure(job.get("FailureReason", ""))


def _failure(reason: str) -> End:
    """Classify a failure by the error kind at the beginning of SageMaker's sentence."""
    if any(words in reason for words in NO_CAPACITY):
        return "capacity"
    if reason.startswith("InternalServerError"):
        return "service"
    if reason.startswith(("ClientError", "AlgorithmError")):
        return "elsewhere" if is_remedied_elsewhere(reason) else "input"
    return "unknown"


def check_completed(job: Mapping[str, Any]) -> None:
    """Check that the job completed.

    Raises:
        TrainingInputError: the algorithm refused its input, or failed on it.
        TrainingServiceError: AWS failed, or had no capacity.
        TrainingStoppedError: a person, or a time limit, stopped the job.
        TrainingError: the job ended in a way that AWS does not document.

    """
    if end_of(job) != "completed":
        raise _error_of(job)


def check_worth_repeating(job: Mapping[str, Any]) -> None:
    """Check that a repetition of this ended job would not end in the same way and cost again.

    Raises:
        TrainingInputError: the algorithm refused the same input already.
        TrainingStoppedError: the same time limit was too short already.

    """
    if end_of(job) in ("input", "time_limit"):
        error = _error_of(job)
        unchanged = "Nothing has changed since, so no other job was started; force_retrain starts one nevertheless."
        raise type(error)(f"{error} {unchanged}")


TRY_LATER = "Nothing has to be changed here; it is tried again."
_ERRORS: Mapping[End, tuple[type[TrainingError], str]] = {
    "input": (TrainingInputError, "failed: {cause} {remedy}"),
    "elsewhere": (TrainingInputError, "failed: {cause} {remedy}"),
    "capacity": (TrainingServiceError, f"failed: AWS had no {{machine}} free. {TRY_LATER}"),
    "service": (TrainingServiceError, f"failed on AWS's side: {{cause}} {TRY_LATER}"),
    "time_limit": (
        TrainingStoppedError,
        "was stopped by its time limit, {MaxRuntimeInSeconds} s, before it was done. Raise time_limit_s, ask for fewer "
        "epochs or a faster instance type, or set accept_time_limit to take the best model it had by then.",
    ),
    "wait_limit": (
        TrainingStoppedError,
        "was not done within max_wait_s, {MaxWaitTimeInSeconds} s: managed spot had no machine for long enough. Raise "
        "max_wait_s, name instance_type_fallbacks, or set on_demand_fallback.",
    ),
    "stopped": (TrainingStoppedError, "was stopped by someone; run again to train anew."),
    "unknown": (TrainingError, "is {TrainingJobStatus}: {cause}"),
}


def _error_of(job: Mapping[str, Any]) -> TrainingError:
    name, reason = job["TrainingJobName"], job.get("FailureReason", "AWS gives no reason.")
    kind, words = _ERRORS[end_of(job)]
    found = {
        **job.get("StoppingCondition", {}),
        "TrainingJobStatus": job["TrainingJobStatus"],
        "machine": job.get("ResourceConfig", {}).get("InstanceType"),
        "cause": cause_of(reason),
        "remedy": remedy_for(reason, job=name),
    }
    return kind(f"Training job {name} {words.format_map(found)}")
