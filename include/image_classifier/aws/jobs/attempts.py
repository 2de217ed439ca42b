"""Plans, starts and checks jobs that are named after their request, so that the same request is paid for once."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import exists_already, is_invalid, is_limit, is_transient, sentence
from image_classifier.aws.jobs.kinds import JobKind
from image_classifier.aws.jobs.owners import owner_of, tags_of_arn
from image_classifier.aws.names import is_job, job_name
from image_classifier.aws.retry import once_visible
from image_classifier.contracts.errors import ImageClassifierError

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 20
# Failure reasons that do not concern the input; the same job may succeed later.
PASSING = ("InternalServerError", "CapacityError", "Unable to provision requested ML compute capacity")
PASSING_EXIT = "StorageError"  # in what a program of ours wrote for ExitMessage, which processing jobs alone have


@dataclass(frozen=True)
class Attempt:
    """The next step: start a job, adopt a running one, wait for a stopping one, or reuse the results of one."""

    action: Literal["start", "adopt", "await", "reuse"]
    request: Mapping[str, Any]
    job_name: str


@dataclass(frozen=True)
class JobErrors:
    """The errors of one kind of job.

    Attributes:
        refused: AWS or the job refused the input; the same job would fail, and cost, again.
        failed: AWS failed or had no capacity; the same job may succeed later.
        stopped: a person or a time limit stopped the job.
        unchanged: a sentence that says what a failure has not changed.

    """

    refused: type[ImageClassifierError]
    failed: type[ImageClassifierError]
    stopped: type[ImageClassifierError]
    unchanged: str


@dataclass(frozen=True)
class RequestedJobs:
    """Jobs of one kind, each named ``image-classifier-<classifier>-<16 hex of its request and attempt>``.

    Attributes:
        kind: the kind of job.
        errors: the errors for jobs without results.
        log_group: the log group of the jobs.
        resources: the members of a request that lead to its InstanceType.

    """

    kind: JobKind
    errors: JobErrors
    log_group: str
    resources: tuple[str, ...]

    def request(self, spec: Mapping[str, Any], *, classifier: str, tags: list[dict[str, str]]) -> dict[str, Any]:
        """Return the request of the first attempt: the same classifier and spec give the same name."""
        return {**self._named(spec, classifier=classifier, number=1), "Tags": tags}

    def plan_attempt(
        self,
        sagemaker: "SageMakerClient",
        request: Mapping[str, Any],
        *,
        classifier: str,
        of_run: tuple[str, str] | None = None,
        has_results: Callable[[], bool] = lambda: True,
        left_results: Callable[[Mapping[str, Any]], bool] = lambda _: False,
    ) -> Attempt:
        """Return the next attempt; nothing is changed.

        Args:
            sagemaker: the client; it only describes.
            request: of the first attempt.
            classifier: whose; part of the names.
            of_run: a Dag's and a run's id, if the causes of failures are outside the request, such as a missing right:
                then only a failure of that run is final, and another run makes the next attempt.
            has_results: whether what a completed job wrote is still there; without it another attempt is due.
            left_results: whether a failed job left enough results to count as completed.

        Raises:
            ImageClassifierError: `errors.refused`, if an earlier attempt failed on the same input; `errors.failed`, if
                there were too many attempts.

        """
        spec = {name: value for name, value in request.items() if name not in (self.kind.name_key, "Tags")}
        for number in range(1, MOST_ATTEMPTS + 1):
            named = {**request, **self._named(spec, classifier=classifier, number=number)}
            name = named[self.kind.name_key]
            job = self.kind.describe(sagemaker, name)
            if job is None:
                return Attempt("start", named, name)
            status = self.kind.status_of(job)
            if status in ("InProgress", "Stopping"):
                return Attempt("adopt" if status == "InProgress" else "await", named, name)
            if (status == "Completed" and has_results()) or (status == "Failed" and left_results(job)):
                return Attempt("reuse", named, name)
            if self.failed_for_its_input(job) and self._is_final(sagemaker, job, of_run=of_run):
                self.check_completed(job)
        raise self.errors.failed(
            f"{MOST_ATTEMPTS} {self.kind.words}s with the same request left no results, last {name}; see its log."
        )

    def start(self, sagemaker: "SageMakerClient", request: Mapping[str, Any]) -> Literal["started", "adopted"]:
        """Create the job; a job of this name was created by an earlier try of the task and is adopted.

        Raises:
            ImageClassifierError: `errors.refused`, if AWS refuses the request; `errors.failed`, if a quota is reached
                or AWS has a transient error.
            AwsRefusalError: the role cannot be assumed.

        """
        name = request[self.kind.name_key]
        try:
            once_visible(lambda: self.kind.create(sagemaker, request))  # its model may have been created just now
        except ClientError as error:
            if exists_already(error):
                return "adopted"
            words = self._words(name)
            if is_invalid(error):
                raise self.errors.refused(
                    f"{words} was not created, AWS refuses the request: {sentence(error)}"
                ) from error
            if is_limit(error) or is_transient(error):
                message = f"{words} was not created: {sentence(error)} {self.errors.unchanged}"
                raise self.errors.failed(message) from error
            raise
        log.info("%s created on %s", self._words(name), self._machine(request))
        return "started"

    def in_progress(self, sagemaker: "SageMakerClient", *, classifier: str) -> list[str]:
        """Return the names of this classifier's jobs that run or are being stopped."""
        found = self.kind.names_in_progress(sagemaker, classifier=classifier)
        return sorted(name for name in found if is_job(name, classifier=classifier))

    def failed_for_its_input(self, job: Mapping[str, Any]) -> bool:
        """Return whether the job failed for a reason that would make the same job fail again."""
        is_passing = job.get("FailureReason", "").startswith(PASSING) or PASSING_EXIT in job.get("ExitMessage", "")
        return self.kind.status_of(job) == "Failed" and not is_passing

    def check_completed(self, job: Mapping[str, Any]) -> None:
        """Check that the job ended with results.

        Raises:
            ImageClassifierError: one of `errors`; the message says what another attempt costs.

        """
        status, words, unchanged = self.kind.status_of(job), self._words(job[self.kind.name_key]), self.errors.unchanged
        reasons = [job[member] for member in ("FailureReason", "ExitMessage") if job.get(member)]
        reason, another = ". ".join(reasons) or "AWS gives no reason.", f"another job on {self._machine(job)}"
        if status == "Stopped":
            raise self.errors.stopped(
                f"{words} was stopped and left no results; run this task again, which costs {another}. {unchanged}"
            )
        if self.failed_for_its_input(job):
            raise self.errors.refused(
                f"{words} failed: {reason} {unchanged} The same job would fail, and cost, again: see its log in "
                f"{self.log_group}."
            )
        if status != "Completed":
            raise self.errors.failed(
                f"{words} failed on AWS's side: {reason} {unchanged} It is tried again, which costs {another}."
            )

    def _is_final(
        self, sagemaker: "SageMakerClient", job: Mapping[str, Any], *, of_run: tuple[str, str] | None
    ) -> bool:
        if of_run is None:
            return True
        owner = owner_of(tags_of_arn(sagemaker, self.kind.arn_of(job)))
        return owner is not None and (owner.dag_id, owner.run_id) == of_run

    def _named(self, spec: Mapping[str, Any], *, classifier: str, number: int) -> dict[str, Any]:
        return {self.kind.name_key: job_name(classifier, [spec, number]), **spec}

    def _words(self, name: str) -> str:
        return f"{self.kind.words.capitalize()} {name}"

    def _machine(self, request: Mapping[str, Any]) -> str:
        """Return the instances of a request or a job as text: "2 x ml.m5.xlarge"."""
        found: Any = request
        for member in self.resources:
            found = found.get(member, {})
        count = f"{found['InstanceCount']} x " if found.get("InstanceCount", 1) > 1 else ""
        return f"{count}{found.get('InstanceType', 'its instance type')}"
