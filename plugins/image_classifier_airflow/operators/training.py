"""Trains a model: starts a job, adopts a running one or reuses the model of a completed one, and waits for its end."""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from airflow.providers.amazon.aws.operators.sagemaker import SageMakerTrainingOperator, serialize
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowTaskTimeout
from botocore.exceptions import ClientError

from image_classifier.aws.jobs import owners
from image_classifier.aws.jobs.kinds import TRAINING_JOB
from image_classifier.aws.names import attempt_number
from image_classifier.contracts.errors import TrainingError, TrainingStoppedError
from image_classifier_airflow.aws_errors import with_our_errors
from image_classifier_airflow.connection import client
from image_classifier_airflow.links import TRAINING_LINKS
from image_classifier_airflow.operators.jobs import JobWaiting
from image_classifier_airflow.task_states import owner

if TYPE_CHECKING:
    from image_classifier.train.attempts import Attempt
    from image_classifier_airflow.triggers.jobs import JobTrigger

Begun = Literal["started", "adopted", "awaited"]


class TrainingJobOperator(JobWaiting, SageMakerTrainingOperator):
    """Trains a model, and never pays twice for the same one.

    The provider's operator starts a second job on retry, times out after 30 minutes when deferred, leaves the job
    running when a user kills the task, and shows a stopped job as success; this one does not.

    **The job's name** is `config`'s for the first attempt; later attempts append a number. A retry, a cleared task and
    a later run adopt a running job, and reuse the model of a completed one. A job that failed because of its input, or
    reached its time limit, is not repeated until the request changes; after any other end the next attempt is started.
    On a capacity error the next of `alternatives` is tried.

    **When the job is stopped**: when a user marks the task failed or success or clears it, whether it runs or is
    deferred; at the task's execution_timeout; and when the job exceeds its own limits. A shutdown of the worker or the
    triggerer does not stop it, and the next try adopts it: on SIGTERM the task asks Airflow for its own state. If
    Airflow does not answer, the job continues, and the watch Dag finds by the job's tags that its task is over.

    Returns a dict; see `image_classifier.train.training_jobs.training_result`.

    Args:
        config: CreateTrainingJob's request; its name is the first attempt's.
        alternatives: the same request with other instance types, in the order in which they are tried on a capacity
            error.
        force: start a new job for this run although a completed one has the model; retries share the new job.
        accept_time_limit: use the model of a job that its time limit stopped, if there is one.
        poll_interval_s: seconds between two DescribeTrainingJob calls.
        deferrable: wait in the triggerer instead of on a worker.
        stop_on_kill: stop the job at every SIGTERM, also when no user ended the task.
        kwargs: the provider's and BaseOperator's arguments.

    """

    operator_extra_links = TRAINING_LINKS
    template_fields: Sequence[str] = (
        *SageMakerTrainingOperator.template_fields,
        "alternatives",
        "force",
        "accept_time_limit",
    )
    kind = TRAINING_JOB
    failed, stopped = TrainingError, TrainingStoppedError
    limits = "its limits, or the task's execution_timeout"

    def __init__(
        self,
        *,
        config: dict[str, Any],
        alternatives: Sequence[Mapping[str, Any]] = (),
        force: bool = False,
        accept_time_limit: bool = False,
        poll_interval_s: int = 10,
        deferrable: bool = True,
        stop_on_kill: bool = False,
        **kwargs: Any,
    ) -> None:
        """Store the arguments; the request may be another task's result."""
        super().__init__(config=config, check_interval=poll_interval_s, deferrable=deferrable, **kwargs)
        self.alternatives = alternatives
        self.force = force
        self.accept_time_limit = accept_time_limit
        self.poll_interval_s = poll_interval_s
        self.stop_on_kill = stop_on_kill

    @with_our_errors
    def execute(self, context: Context) -> dict[str, Any]:
        """Start, adopt or reuse a job, and wait for its end.

        Returns:
            What `image_classifier.train.training_jobs.training_result` returns.

        Raises:
            TrainingInputError: the algorithm refused its input; a retry would cost the same and fail again.
            TrainingServiceError: AWS failed or had no capacity.
            TrainingStoppedError: a person or a time limit stopped the job.

        """
        self._task_instance = context["ti"]
        try:
            return self._train()
        except AirflowTaskTimeout:
            self._stop()
            raise

    @with_our_errors
    def execute_complete(
        self,
        context: Context,
        event: dict[str, Any] | None = None,
        begun: Begun = "adopted",
    ) -> dict[str, Any]:
        """Continue after the trigger's event."""
        return self._conclude(self._resume(context, event), begun)

    @property
    def job_name(self) -> str:
        """Return the name of the job that this task waits for, or of the first attempt before one is chosen."""
        return self._job_name or str(self.config["TrainingJobName"])

    def _train(self) -> dict[str, Any]:
        attempt = self._plan()
        self._job_name = attempt.job_name
        if attempt.action == "reuse":
            return self._reuse(attempt)
        begun = self._begin(attempt)
        self._leave_if_given_up()
        if self.deferrable:
            self._wait_in_triggerer(attempt.job_name, begun=begun)
        self._wait_here(attempt.job_name)
        return self._conclude(attempt.job_name, begun)

    def _reuse(self, attempt: "Attempt") -> dict[str, Any]:
        """Return the model of a completed job; a job of this run, whose task was cleared, is one that it pays for."""
        job, this = self._describe(attempt.job_name), owner(self._task_instance)
        began = owners.owner_of(owners.tags_of(self.hook.conn, job))
        is_own = began is not None and (began.dag_id, began.run_id) == (this.dag_id, this.run_id)
        self.log.info("Training job %s is reused, and costs nothing more: %s", attempt.job_name, attempt.because)
        return self._result(job, "adopted" if is_own else "reused")

    def _plan(self) -> "Attempt":
        from image_classifier.train import attempts

        owner_task = owner(self._task_instance)
        return attempts.plan_attempt(
            self.hook.conn,
            self.config,
            s3=client(self, "s3"),
            alternatives=self.alternatives,
            accept_time_limit=self.accept_time_limit,
            only_of_run=(owner_task.dag_id, owner_task.run_id) if self.force else None,
        )

    def _begin(self, attempt: "Attempt") -> Begun:
        from image_classifier.train import training_jobs

        owner_task = owner(self._task_instance)
        begun: Begun = "awaited" if attempt.action == "await" else "adopted"
        if attempt.action == "start":
            requests = [owners.with_owner(request, owner_task) for request in attempt.requests]
            begun = training_jobs.start_training_job(self.hook.conn, requests)
        if begun == "adopted":
            owners.set_owner(self.hook.conn, self._describe(attempt.job_name), owner=owner_task)
        self.log.info("Training job %s is %s: %s", attempt.job_name, begun, attempt.because)
        return begun

    def _conclude(self, job_name: str, begun: Begun) -> dict[str, Any]:
        """Return the model of the ended job, or start the next attempt if one is due."""
        self._check_wanted(job_name)
        job = self._describe(job_name)
        if begun == "awaited" or self._is_worth_another(job):
            return self._train()
        return self._result(job, begun)

    def _is_worth_another(self, job: Mapping[str, Any]) -> bool:
        from image_classifier.train import attempts, ends, training_jobs

        end = ends.end_of(job)
        if (
            end == "stopped"
        ):  # whether the job was stopped as an orphan of the task from which this one adopted it, and not by a person
            return owners.stopped_as_orphan(owners.tags_of(self.hook.conn, job))
        if left := attempts.machines_left(job, (self.config, *self.alternatives)):
            self.log.warning(
                "AWS had no %s; next is %s", training_jobs.machine_of(job), training_jobs.machine_of(left[0])
            )
        return bool(left)

    def _wait_here(self, job_name: str) -> None:
        from image_classifier.train import job_log

        logs, cursor, deadline = client(self, "logs"), job_log.START, self._deadline(job_name)
        while True:
            finished = self.kind.is_finished(self._describe(job_name))
            lines, cursor = job_log.log_events(logs, job_name, cursor)
            for line in lines:
                self.log.info("%s", line)
            if finished:
                return
            if time.time() > deadline:
                self._give_up()
            time.sleep(self.poll_interval_s)

    def _deadline(self, job_name: str) -> float:
        """Return the deadline of the trigger (s since 1970), which includes the execution_timeout."""
        from image_classifier.train import training_jobs

        deadline = training_jobs.deadline(self._describe(job_name))
        if self.execution_timeout is None:
            return deadline
        return min(deadline, time.time() + self.execution_timeout.total_seconds())

    def _trigger(self) -> "type[JobTrigger]":
        from image_classifier_airflow.triggers.training import TrainingJobTrigger

        return TrainingJobTrigger

    def _result(self, job: Mapping[str, Any], outcome: Literal["started", "adopted", "reused"]) -> dict[str, Any]:
        from image_classifier.train import ends, training_jobs

        name = job["TrainingJobName"]
        self.serialized_training_data = serialize(dict(job))  # the provider's lineage reads it
        if ends.end_of(job) == "time_limit" and self._has_model(job):
            self.log.warning("Training job %s was stopped by its time limit; its best model by then is used", name)
        else:
            ends.check_completed(job)
        result = training_jobs.training_result(
            job,
            outcome=outcome,
            attempt=attempt_number(self.config["TrainingJobName"], name),
            best=self._best_validation_accuracy(name),
        )
        self.log.info("Training job %s: %s", name, result)
        if result["spot_savings"]:
            self.log.info("Managed spot saved %.0f %% of the price", 100 * result["spot_savings"])
        return result

    def _has_model(self, job: Mapping[str, Any]) -> bool:
        from image_classifier.train import attempts

        s3 = client(self, "s3")
        return attempts.has_model(job, s3=s3, accept_time_limit=self.accept_time_limit)

    def _best_validation_accuracy(self, job_name: str) -> float | None:
        from image_classifier.train import job_log

        try:
            lines, _ = job_log.log_events(client(self, "logs"), job_name)
        except ClientError as error:
            self.log.warning("The log of %s cannot be read, its best accuracy stays unknown: %s", job_name, error)
            return None
        return job_log.best_validation_accuracy(lines)
