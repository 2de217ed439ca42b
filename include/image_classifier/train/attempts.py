"""Decides which attempt at a training job is next from the earlier ones, so that nothing is paid for twice."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from image_classifier.aws.jobs.owners import owner_of, tags_of
from image_classifier.aws.names import MOST_ATTEMPTS, attempt_name
from image_classifier.contracts.errors import TrainingError
from image_classifier.train.ends import check_worth_repeating, end_of
from image_classifier.train.training_jobs import describe_training_job, has_artifact

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_sagemaker import SageMakerClient

Job = Mapping[str, Any]
Request = Mapping[str, Any]
# After these, and only with managed spot, the next attempt continues from the last one's checkpoints.
GOES_ON_AFTER = ("capacity", "wait_limit", "time_limit")


@dataclass(frozen=True)
class Attempt:
    """The next action that leads to a model.

    Attributes:
        action: start a job; adopt a running one; wait for the end of a stopping one, then plan again; or reuse
            the model of a completed one.
        requests: CreateTrainingJob's requests, for the preferred instance type first, then for the alternatives.
        because: the reason, in one sentence.

    """

    action: Literal["start", "adopt", "await", "reuse"]
    requests: tuple[Request, ...]
    because: str

    @property
    def request(self) -> Request:
        return self.requests[0]

    @property
    def job_name(self) -> str:
        return str(self.request["TrainingJobName"])


def plan_attempt(
    sagemaker: "SageMakerClient",
    request: Request,
    *,
    s3: "S3Client | None" = None,
    alternatives: Sequence[Request] = (),
    accept_time_limit: bool = False,
    only_of_run: tuple[str, str] | None = None,
) -> Attempt:
    """Return the next attempt; changes nothing, so that a plan may call it too.

    Args:
        sagemaker: the client; it only describes.
        request: the request of the first attempt, for the preferred instance type.
        s3: if given, a completed job counts only while its model artifact exists.
        alternatives: the same request for each alternative instance type, in order.
        accept_time_limit: whether the model of a job that its time limit stopped is accepted.
        only_of_run: the ids of a Dag and a run: only attempts of that run count, so the run gets its own job.

    Raises:
        TrainingInputError: the last attempt failed on the same input; another would cost the same and fail.
        TrainingStoppedError: the last attempt reached the same time limit.
        TrainingError: the numbers for further attempts are used up.

    """
    made = [*_attempts_made(sagemaker, request)]
    ours = made if only_of_run is None else [job for job in made if _run_of(sagemaker, job) == only_of_run]

    is_good = partial(has_model, s3=s3, accept_time_limit=accept_time_limit)
    if (found := _existing(ours, request, is_good=is_good)) is not None:
        return found
    return _next(ours, (request, *alternatives), number=len(made) + 1)


def has_model(job: Job, *, s3: "S3Client | None", accept_time_limit: bool) -> bool:
    """Return whether an ended job left an acceptable model."""
    worth = ("completed", "time_limit") if accept_time_limit else ("completed",)
    return end_of(job) in worth and (s3 is None or has_artifact(s3, job))


def machines_left(job: Job, requests: Sequence[Request]) -> Sequence[Request]:
    """Return the requests for instance types after the job's own; none if AWS had capacity for the job."""
    if end_of(job) not in ("capacity", "wait_limit"):
        return ()
    places = [place for place, request in enumerate(requests) if _machine(request) == _machine(job)]
    return requests[places[-1] + 1 :] if places else ()


def for_attempt(request: Request, number: int) -> dict[str, Any]:
    """Return the request with the name and the checkpoint prefix of attempt `number`."""
    first = str(request["TrainingJobName"])
    name = attempt_name(first, number)
    attempt = {**request, "TrainingJobName": name}
    if "CheckpointConfig" in request:
        uri = request["CheckpointConfig"]["S3Uri"].replace(f"/{first}/", f"/{name}/")
        attempt["CheckpointConfig"] = {**request["CheckpointConfig"], "S3Uri": uri}
    return attempt


def _attempts_made(sagemaker: "SageMakerClient", request: Request) -> Iterator[Job]:
    """Yield every attempt so far, oldest first; their numbers have no gaps."""
    for number in range(1, MOST_ATTEMPTS + 1):
        job = describe_training_job(sagemaker, attempt_name(request["TrainingJobName"], number))
        if job is None:
            return
        yield job
    message = (
        f"Training job {request['TrainingJobName']} was attempted {MOST_ATTEMPTS} times and has no names left; change "
        "a hyperparameter, or the images, for a job of another name."
    )
    raise TrainingError(message)


def _run_of(sagemaker: "SageMakerClient", job: Job) -> tuple[str, str] | None:
    owner = owner_of(tags_of(sagemaker, job))
    return (owner.dag_id, owner.run_id) if owner else None


def _existing(jobs: Sequence[Job], request: Request, *, is_good: Callable[[Job], bool]) -> Attempt | None:
    """Return the newest usable attempt; a job that is being stopped is used only if no earlier one has a model."""
    stopping: Attempt | None = None
    for job in reversed(jobs):
        named = ({**request, "TrainingJobName": job["TrainingJobName"]},)
        if job["TrainingJobStatus"] == "InProgress":
            return Attempt("adopt", named, "It runs already.")
        if job["TrainingJobStatus"] == "Stopping":
            stopping = stopping or Attempt("await", named, "It is being stopped; what comes next is decided then.")
        elif is_good(job):
            return Attempt("reuse", named, "It has the model for these images and settings.")
    return stopping


def _next(jobs: Sequence[Job], requests: tuple[Request, ...], *, number: int) -> Attempt:
    """Return a new attempt, unless it would end like the last one."""
    if not jobs:
        named = tuple(for_attempt(request, number) for request in requests)
        return Attempt("start", named, "Nothing has trained these images with these settings.")
    last = jobs[-1]
    if any(_same_limits(last, request) for request in requests):
        check_worth_repeating(last)
    left = machines_left(last, requests) or requests
    named = tuple(_goes_on(for_attempt(request, number), last) for request in left)
    return Attempt("start", named, f"{last['TrainingJobName']} left no model: {_told(last)}.")


def _goes_on(request: dict[str, Any], last: Job) -> dict[str, Any]:
    if "CheckpointConfig" in request and end_of(last) in GOES_ON_AFTER:
        return {**request, "CheckpointConfig": last.get("CheckpointConfig", request["CheckpointConfig"])}
    return request


def _told(job: Job) -> str:
    if job["TrainingJobStatus"] == "Completed":
        return "its model artifact is gone"
    return f"{job['TrainingJobStatus']}, {job.get('FailureReason') or job.get('SecondaryStatus', '')}".rstrip(" .,")


def _machine(job: Job) -> tuple[str, bool]:
    """Return the instance type and whether it is a spot instance, which together have a capacity."""
    return job["ResourceConfig"]["InstanceType"], bool(job.get("EnableManagedSpotTraining"))


def _same_limits(job: Job, request: Request) -> bool:
    """Return whether the job had the image, the instances and the limits of the request."""
    return all(_limits(job)[name] == value for name, value in _limits(request).items())


def _limits(job: Job) -> dict[str, Any]:
    resources = job["ResourceConfig"]
    return {
        "machine": _machine(job),
        "image": job["AlgorithmSpecification"]["TrainingImage"],
        "time": job["StoppingCondition"]["MaxRuntimeInSeconds"],
        **{name: resources.get(name) for name in ("InstanceCount", "VolumeSizeInGB")},
    }
