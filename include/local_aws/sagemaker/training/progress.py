"""Changes the state of a training job in the document with which DescribeTrainingJob answers."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, cast

from local_aws.sagemaker.jobs.failures import INTERRUPTED, MAX_REASON_CHARACTERS
from local_aws.sagemaker.jobs.kinds import IN_PROGRESS, JobKind
from local_aws.sagemaker.protocol.errors import ServiceError, validation_error

if TYPE_CHECKING:
    from local_aws.sagemaker.documents import Document, MetricValue, TrainingJob, Transition


# Secondary status -> (status, AWS's sentence about it)
STATES = {
    "Starting": ("InProgress", "Preparing the instances for training"),
    "Downloading": ("InProgress", "Downloading input data"),
    "Training": ("InProgress", "Training image download completed. Training in progress."),
    "Interrupted": ("InProgress", "Training job interrupted: the managed spot training instances were taken back"),
    "Uploading": ("InProgress", "Uploading generated training model"),
    "Stopping": ("Stopping", "Stopping the training job"),
    "Completed": ("Completed", "Training job completed"),
    "Failed": ("Failed", "Training job failed"),
    "Stopped": ("Stopped", "Training job stopped"),
    "MaxRuntimeExceeded": ("Stopped", "Training job runtime exceeded MaxRuntimeInSeconds provided"),
    "MaxWaitTimeExceeded": ("Stopped", "Training job wait time exceeded MaxWaitTimeInSeconds provided"),
}
_EPOCH = re.compile(r"Epoch\[(\d+)\] Validation-accuracy=")


def enter(job: TrainingJob, state: str, *, now: float, message: str = "") -> None:
    """Move the job to a secondary status and its status; the transition before ends now."""
    status, sentence = STATES[state]
    transitions = job["SecondaryStatusTransitions"]
    if transitions:
        transitions[-1].setdefault("EndTime", now)
    transition: Transition = {"Status": state, "StartTime": now, "StatusMessage": message or sentence}
    job["TrainingJobStatus"] = status
    job["SecondaryStatus"] = state
    job["LastModifiedTime"] = now
    if status not in IN_PROGRESS:
        transition["EndTime"] = now
        _end(job, now=now)
    transitions.append(transition)


def fail(job: TrainingJob, reason: str, *, now: float) -> None:
    """End the job as Failed."""
    job["FailureReason"] = reason[:MAX_REASON_CHARACTERS]
    enter(job, "Failed", now=now, message=job["FailureReason"])


def lose(job: TrainingJob, *, now: float) -> None:
    """End a job whose process ended with the server: a job that was being stopped is Stopped."""
    if job["TrainingJobStatus"] != "Stopping":
        fail(job, INTERRUPTED, now=now)
        return
    asked = job["SecondaryStatusTransitions"][-1]["StartTime"]
    enter(job, time_is_up(job, now=asked) or "Stopped", now=now)


def start_clock(job: TrainingJob, *, now: float) -> None:
    """Store the start time: the first instances are running, and from now on the time is billed."""
    job.setdefault("TrainingStartTime", now)


def time_is_up(job: TrainingJob, *, now: float) -> str | None:
    """Return the state in which a job ends when its time is over, or None while it has time."""
    limits = job["StoppingCondition"]
    if "TrainingStartTime" in job and _machine_s(job, now=now) >= limits["MaxRuntimeInSeconds"]:
        return "MaxRuntimeExceeded"
    if now >= job["CreationTime"] + limits.get("MaxWaitTimeInSeconds", math.inf):
        return "MaxWaitTimeExceeded"
    return None


class TrainingJobKind(JobKind):
    """Training jobs, which have secondary statuses and their own messages."""

    def enter(self, job: Document, status: str, *, now: float) -> None:
        """Move the job to a secondary status."""
        enter(cast("TrainingJob", job), status, now=now)

    def fail(self, job: Document, reason: str, *, now: float) -> None:
        """End the job as Failed."""
        fail(cast("TrainingJob", job), reason, now=now)

    def lose(self, job: Document, *, now: float) -> None:
        """End a job whose process ended with the server."""
        lose(cast("TrainingJob", job), now=now)

    def not_found(self, _name: str) -> ServiceError:
        """Return the error for a name that no job has."""
        return validation_error("Requested resource not found.")

    def name_in_use(self, arn: str) -> ServiceError:
        """Return the error for a name that another job has."""
        message = "Training job names must be unique within an AWS account and region, and a training job with this"
        return ServiceError("ResourceInUse", f"{message} name already exists ({arn})")


TRAINING_JOB = TrainingJobKind("training-job", "TrainingJob", "Training", listed="Ascending")


def _end(job: TrainingJob, *, now: float) -> None:
    job["TrainingEndTime"] = now
    if "TrainingStartTime" in job:
        trained_s = max(1, round(now - job["TrainingStartTime"]))
        # At most this: the time between an interruption and the next instance is not billed.
        job["TrainingTimeInSeconds"] = trained_s
        job["BillableTimeInSeconds"] = max(1, round(_machine_s(job, now=now)))


def _machine_s(job: TrainingJob, *, now: float) -> float:
    """Return how many seconds the job has had instances: since the first, without the waits after interruptions."""
    waited_s, interrupted = 0.0, None
    for transition in job["SecondaryStatusTransitions"]:
        if transition["Status"] == "Interrupted":
            interrupted = transition["StartTime"]
        elif transition["Status"] == "Downloading" and interrupted is not None:
            waited_s, interrupted = waited_s + transition["StartTime"] - interrupted, None
    if interrupted is not None:
        waited_s += now - interrupted
    return now - job["TrainingStartTime"] - waited_s


class Metrics:
    """The last value of each metric in the log, which is what FinalMetricDataList holds (not the best)."""

    def __init__(self, definitions: list[Document]) -> None:
        """`definitions` are the job's MetricDefinitions."""
        self._patterns = {definition["Name"]: re.compile(definition["Regex"]) for definition in definitions}
        self._last: dict[str, MetricValue] = {}
        self._values: dict[str, list[float]] = {}
        self.epochs = 0

    def read(self, lines: list[str], *, now: float) -> list[MetricValue]:
        """Return the values in new lines, as items of a FinalMetricDataList."""
        found: list[MetricValue] = []
        for line in lines:
            if epoch := _EPOCH.search(line):
                self.epochs = max(self.epochs, int(epoch[1]) + 1)
            for name, pattern in self._patterns.items():
                value = _value(pattern, line)
                if value is not None:
                    self._last[name] = {"MetricName": name, "Value": value, "Timestamp": now}
                    self._values.setdefault(name, []).append(value)
                    found.append(self._last[name])
        return found

    def values(self, name: str) -> list[float]:
        """Return every value of a metric, oldest first."""
        return list(self._values.get(name, []))

    def final(self) -> list[MetricValue]:
        """Return the last values as DescribeTrainingJob shows them."""
        return [self._last[name] for name in sorted(self._last)]


def _value(pattern: re.Pattern[str], line: str) -> float | None:
    match = pattern.search(line)
    if match is None or not match.groups():
        return None
    try:
        value = float(match[1] or "")  # this branch of an alternation may not have matched
    except ValueError:
        return None
    return value if math.isfinite(value) else None  # JSON has no NaN


def failure_reason(text: str, *, exit_code: int) -> str:
    """Return the FailureReason of a program that ended with `exit_code` and wrote `text` to output/failure."""
    text = text.strip()
    known = text.startswith(("ClientError", "AlgorithmError", "InternalServerError"))
    # A shell, and so a container, reports a signal as 128 plus its number.
    code = exit_code if exit_code >= 0 else 128 - exit_code
    ending = f", exit code: {code}"
    return f"{text if known else f'AlgorithmError: {text}'}"[: MAX_REASON_CHARACTERS - len(ending)] + ending
