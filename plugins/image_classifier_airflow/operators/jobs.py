"""Waits for a SageMaker job on a worker or in the triggerer, and stops it if a user ends the task."""

import time
from abc import abstractmethod
from collections.abc import Mapping
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, Protocol, TypeVar

from airflow.sdk import Context

from image_classifier.aws.jobs import owners
from image_classifier.aws.jobs.kinds import JobKind, deadline
from image_classifier.contracts.errors import ImageClassifierError
from image_classifier_airflow.aws_errors import with_our_errors
from image_classifier_airflow.connection import connection_arguments
from image_classifier_airflow.task_states import is_given_up, owner

if TYPE_CHECKING:
    from airflow.providers.amazon.aws.operators.sagemaker import SageMakerBaseOperator
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

    from image_classifier.aws.jobs.attempts import Attempt, RequestedJobs
    from image_classifier_airflow.triggers.jobs import JobTrigger
else:
    # Airflow's metaclass would call this base's __init__ in the subclasses, and skip that of the provider's operator.
    SageMakerBaseOperator = object

MOST_KILL_S = 4  # Airflow sends SIGKILL to a task's process five seconds after SIGTERM


class JobWaiting(SageMakerBaseOperator):
    """The part of an operator that waits for its job; in the list of bases it precedes the provider's operator.

    Attributes:
        kind: the kind of job.
        failed: the error if the job was deleted, or if this task has stopped it.
        stopped: the error if the job is stopped because the task ended or the job is overdue.
        limits: the limits that an overdue job exceeded, for the error message.
        stop_on_kill: stop the job at every SIGTERM, also when no user ended the task.

    """

    kind: ClassVar[JobKind]
    failed: ClassVar[type[ImageClassifierError]]
    stopped: ClassVar[type[ImageClassifierError]]
    limits: ClassVar[str]
    stop_on_kill = False
    poll_interval_s: int
    _task_instance: "RuntimeTaskInstanceProtocol"  # set when the task starts
    _job_name: str | None = None  # set when an attempt is chosen
    _is_done_with = False  # if True, a kill does not stop the job

    @abstractmethod
    def _deadline(self, name: str) -> float:
        """Return the time (seconds since 1970) at which the job is stopped."""

    @abstractmethod
    def _trigger(self) -> "type[JobTrigger]":
        """Return the trigger's class, which is imported only when the task defers."""

    @property
    def words(self) -> str:
        """Return the kind of job with a capital letter, for the beginning of a sentence."""
        return self.kind.words.capitalize()

    def on_kill(self) -> None:
        """Stop the job if a user ended the task, or if `stop_on_kill` is set.

        The signal may interrupt the task during a request to Airflow; so another thread sends the request.
        """
        if self._job_name and not self._is_done_with:
            thread = Thread(target=self._let_go, name=f"image-classifier {self._job_name}", daemon=True)
            thread.start()
            thread.join(MOST_KILL_S)

    def _let_go(self) -> None:
        """Stop the job if a user ended the task; otherwise leave it to the task's next try."""
        if self.stop_on_kill or is_given_up(self._task_instance):
            self._abandon()
        else:
            self.log.info("%s %s continues; the next try of this task adopts it", self.words, self._job_name)

    def _leave_if_given_up(self) -> None:
        """Stop the job if a user ended the task just before it is deferred, when no kill handler runs."""
        if is_given_up(self._task_instance):
            self._abandon()
            name = self._job_name
            raise self.stopped(
                f"A user ended the task while {self.kind.words} {name} was starting; the job is stopped."
            )

    def _abandon(self) -> None:
        self._is_done_with = True
        if self._job_name:
            self.kind.stop_orphaned(self.hook.conn, self._job_name, why="its task was ended")

    def _stop(self) -> None:
        self._is_done_with = True
        if self._job_name:
            self.kind.stop(self.hook.conn, self._job_name)

    def _give_up(self) -> NoReturn:
        self._stop()
        raise self.stopped(f"{self.words} {self._job_name} ran past {self.limits}, and was stopped.")

    def _resume(self, context: Context, event: dict[str, Any] | None) -> str:
        """Continue the task after the trigger's event; return the job's name."""
        if event is None:
            raise self.failed("The trigger ended without an event; run this task again: it adopts the job.")
        self._task_instance, self._job_name = context["ti"], event["job_name"]
        if event["status"] == "overdue":
            self._give_up()
        return str(event["job_name"])

    def _check_wanted(self, name: str) -> None:
        """Check that no user ended the task, which could start another job in the 5 s between SIGTERM and SIGKILL.

        Raises:
            ImageClassifierError: `failed`, because this task has stopped the job itself.

        """
        if self._is_done_with:
            raise self.failed(f"This task was ended, and {self.kind.words} {name} was stopped with it.")

    def _wait_in_triggerer(self, name: str, **to_resume: Any) -> None:
        trigger = self._trigger()(
            job_name=name,
            poll_interval_s=self.poll_interval_s,
            deadline=self._deadline(name),
            **connection_arguments(self),
        )
        self.defer(trigger=trigger, method_name="execute_complete", kwargs=to_resume)

    def _wait_here(self, name: str) -> None:
        last = self._deadline(name)
        while not self.kind.is_finished(self._describe(name)):
            if time.time() > last:
                self._give_up()
            time.sleep(self.poll_interval_s)

    def _describe(self, name: str) -> Mapping[str, Any]:
        job = self.kind.describe(self.hook.conn, name)
        if job is None:
            raise self.failed(f"{self.words} {name} is gone; someone deleted it: run this task again.")
        return job


class PlannedAttempt(Protocol):
    """The next step: start a job, adopt a running one, wait for a stopping one, or reuse the results of one."""

    @property
    def action(self) -> str: ...  # start, adopt, await or reuse

    @property
    def job_name(self) -> str: ...


Planned = TypeVar("Planned", bound=PlannedAttempt)


class JobOperator(JobWaiting, Generic[Planned]):
    """The part of an operator that starts, adopts or reuses a job whose name is its result."""

    deferrable: bool

    @abstractmethod
    def _plan(self) -> Planned:
        """Return the next attempt."""

    @abstractmethod
    def _start(self, attempt: Planned) -> str:
        """Create the job; return "started", or "adopted" if an earlier try of the task has created it."""

    @abstractmethod
    def _check_completed(self, job: Mapping[str, Any]) -> None:
        """Raise one of our errors if the job has no results."""

    @property
    def job_name(self) -> str:
        """Return the name of the job that this task waits for, or of the first attempt before one is chosen."""
        return self._job_name or str(self.config["request"][self.kind.name_key] if self.config else "")

    @with_our_errors
    def execute_complete(self, context: Context, event: dict[str, Any] | None = None, awaited: bool = False) -> str:
        """Continue after the trigger's event."""
        name = self._resume(context, event)
        return self.run_job() if awaited else self._conclude(name)

    def run_job(self) -> str:
        """Start, adopt or reuse the job, wait for its end, and return its name."""
        attempt = self._plan()
        self._job_name = name = attempt.job_name
        self.log.info("%s %s: %s", self.words, name, attempt.action)
        if attempt.action == "reuse":
            return self._conclude(name)
        self._begin(attempt)
        self._leave_if_given_up()
        if self.deferrable:
            self._wait_in_triggerer(name, awaited=attempt.action == "await")
        self._wait_here(name)
        return self.run_job() if attempt.action == "await" else self._conclude(name)

    def _begin(self, attempt: Planned) -> None:
        """Start or adopt the job, and set the tags that name this task as its owner."""
        begun = self._start(attempt) if attempt.action == "start" else attempt.action
        if begun in ("adopt", "adopted"):
            arn = self.kind.arn_of(self._describe(attempt.job_name))
            owners.set_owner_of_arn(self.hook.conn, arn, owner=owner(self._task_instance))

    def _conclude(self, name: str) -> str:
        """Return the name of the completed job, or start the next attempt after one that was stopped as orphaned."""
        self._check_wanted(name)
        job = self._describe(name)
        tags = partial(owners.tags_of_arn, self.hook.conn, self.kind.arn_of(job))
        if self.kind.status_of(job) == "Stopped" and owners.stopped_as_orphan(tags()):
            return self.run_job()
        self._check_completed(job)
        return name


class RequestedJobOperator(JobOperator["Attempt"]):
    """The part of an operator whose job's name is computed from its request; with an empty config no job is started.

    The config has ``request``, the request of the first attempt; ``classifier``, whose name the job has; and
    ``time_limit_s``, after which the task stops the job.
    """

    @property
    @abstractmethod
    def jobs(self) -> "RequestedJobs":
        """The jobs of this kind."""

    def run_requested_job(self, context: Context) -> str | None:
        """Start, adopt or reuse the job, wait for its end, and return its name; None without a config.

        Raises:
            ImageClassifierError: one of ``jobs.errors``.

        """
        self._task_instance = context["ti"]
        if not self.config:
            self.log.info("This run needs no %s; nothing is started.", self.kind.words)
            return None
        return self.run_job()

    def _plan(self) -> "Attempt":
        return self.jobs.plan_attempt(self.hook.conn, self.config["request"], classifier=self.config["classifier"])

    def _start(self, attempt: "Attempt") -> str:
        return self.jobs.start(self.hook.conn, owners.with_owner(attempt.request, owner(self._task_instance)))

    def _check_completed(self, job: Mapping[str, Any]) -> None:
        self.jobs.check_completed(job)

    def _deadline(self, name: str) -> float:
        return deadline(self._describe(name), time_limit_s=self.config["time_limit_s"])
