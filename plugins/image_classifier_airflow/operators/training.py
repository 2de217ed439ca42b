"""The training task: start a job, adopt one under way, or take the model of one that is done; then wait for it."""

import time
from collections.abc import Mapping, Sequence
from threading import Thread
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from airflow.providers.amazon.aws.hooks.logs import AwsLogsHook
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.operators.sagemaker import SageMakerTrainingOperator, serialize
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowTaskTimeout
from botocore.exceptions import ClientError

from image_classifier.aws.names import attempt_number
from image_classifier.contracts.errors import TrainingError, TrainingStoppedError
from image_classifier.train import attempts, ends, job_log, owners, training_jobs
from image_classifier_airflow.links import TRAINING_LINKS
from image_classifier_airflow.task_states import is_given_up, owner
from image_classifier_airflow.triggers.training import TrainingJobTrigger

if TYPE_CHECKING:
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

Begun = Literal["started", "adopted", "awaited"]
MOST_KILL_S = 4  # Airflow kills a task's process for good five seconds after it has asked it to end


class TrainingJobOperator(SageMakerTrainingOperator):
    """Train a model, and never pay twice for the same one.

    The provider's operator starts a second job on retry, gives up after 30 minutes when deferred, leaves the job
    running when a user kills the task, and shows a stopped job as success; this one does not.

    **The job's name** is `config`'s for the first attempt and gets a number for the next ones. A retry, a cleared task
    and a later run find the job that runs and follow it, and take the model of one that is done. One that failed for
    its input, or ran into its time limit, is not tried again until the request changes; after any other end the next
    attempt is started. AWS's want of machines moves on to the next of `alternatives`.

    **When the job is stopped**: by a user's mark failed, mark success or clear, whether the task runs or is deferred;
    by its execution_timeout; and when it outlives its own limits. A worker or a triggerer that goes down leaves it
    alone, and the next try adopts it: a task that is told to end asks Airflow for its own state first. If it gets no
    answer the job runs on, and the watch Dag can tell from the job's tags that its task is over.

    Returns a dict; see `image_classifier.train.training_jobs.training_result`.

    Args:
        config: CreateTrainingJob's request; its name is the first attempt's.
        alternatives: the same request on each machine that will do instead when AWS has none of the first, in order.
        force: give this run a job of its own, although another has the model; its retries share it.
        accept_time_limit: take the model of a job that its time limit stopped, if it left one.
        poll_interval_s: seconds between two looks at the job.
        deferrable: wait in the triggerer, and not on a worker.
        stop_on_kill: stop the job also when the worker is told to end and no user wanted that.
        kwargs: the provider's and BaseOperator's arguments.

    """

    operator_extra_links = TRAINING_LINKS
    template_fields: Sequence[str] = (
        *SageMakerTrainingOperator.template_fields,
        "alternatives",
        "force",
        "accept_time_limit",
    )
    _task_instance: "RuntimeTaskInstanceProtocol"  # as soon as the task runs

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
        """Keep what the task needs; all of the request may be another task's result."""
        super().__init__(config=config, check_interval=poll_interval_s, deferrable=deferrable, **kwargs)
        self.alternatives = alternatives
        self.force = force
        self.accept_time_limit = accept_time_limit
        self.poll_interval_s = poll_interval_s
        self.stop_on_kill = stop_on_kill
        self._job_name: str | None = None
        self._is_done_with = False  # a kill then has nothing to say about the job

    def execute(self, context: Context) -> dict[str, Any]:
        """Start, adopt or reuse; then wait.

        Raises:
            TrainingInputError: the algorithm refused its input; a retry would cost the same.
            TrainingServiceError: AWS failed or had no capacity.
            TrainingStoppedError: the job was stopped, by a person or by a time limit.

        """
        self._task_instance = context["ti"]
        try:
            return self._train()
        except AirflowTaskTimeout:
            self._stop()
            raise

    def execute_complete(
        self,
        context: Context,
        event: dict[str, Any] | None = None,
        begun: Begun = "adopted",
    ) -> dict[str, Any]:
        """Go on where the trigger left off."""
        if event is None:
            raise TrainingError("The trigger ended without an event; run this task again: it adopts the job.")
        self._task_instance, self._job_name = context["ti"], event["job_name"]
        if event["status"] == "overdue":
            self._give_up()
        return self._conclude(event["job_name"], begun)

    def on_kill(self) -> None:
        """Stop the job if a user ended the task, or if that is wanted anyway; see the class.

        A signal interrupts the task anywhere, also while it asks Airflow something: then only another thread can ask.
        """
        if self._job_name and not self._is_done_with:
            thread = Thread(target=self._let_go, name=f"image-classifier {self._job_name}", daemon=True)
            thread.start()
            thread.join(MOST_KILL_S)

    @property
    def job_name(self) -> str:
        """The job that this task works on: the attempt it decided for, the first one before that."""
        return self._job_name or str(self.config["TrainingJobName"])

    def _train(self) -> dict[str, Any]:
        attempt = self._plan()
        self._job_name = attempt.job_name
        if attempt.action == "reuse":
            self.log.info("Training job %s is reused, and costs nothing: %s", attempt.job_name, attempt.because)
            return self._result(self._describe(attempt.job_name), "reused")
        begun = self._begin(attempt)
        self._leave_if_given_up()
        if self.deferrable:
            self._wait_in_triggerer(attempt.job_name, begun)
        self._wait_here(attempt.job_name)
        return self._conclude(attempt.job_name, begun)

    def _plan(self) -> attempts.Attempt:
        owner_task = owner(self._task_instance)
        return attempts.plan_attempt(
            self.hook.conn,
            self.config,
            s3=S3Hook(**self._connection).conn,
            alternatives=self.alternatives,
            accept_time_limit=self.accept_time_limit,
            only_of_run=(owner_task.dag_id, owner_task.run_id) if self.force else None,
        )

    def _begin(self, attempt: attempts.Attempt) -> Begun:
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
        """The model, or the next attempt where it is worth making."""
        if self._is_done_with:  # Airflow gives a process that is to end five seconds, enough to start another job
            raise TrainingError(f"This task was told to end, and training job {job_name} was stopped with it.")
        job = self._describe(job_name)
        if begun == "awaited" or self._is_worth_another(job):
            return self._train()
        return self._result(job, begun)

    def _is_worth_another(self, job: Mapping[str, Any]) -> bool:
        end = ends.end_of(job)
        if end == "stopped":  # by the task that this one took the job over from, and not by a person?
            return owners.stopped_as_orphan(owners.tags_of(self.hook.conn, job))
        if left := attempts.machines_left(job, (self.config, *self.alternatives)):
            self.log.warning(
                "AWS had no %s; next is %s", training_jobs.machine_of(job), training_jobs.machine_of(left[0])
            )
        return bool(left)

    def _leave_if_given_up(self) -> None:
        """Between the job's creation and Airflow's note that the task waits for it, a user's kill tells nobody."""
        if is_given_up(self._task_instance):
            self._abandon()
            raise TrainingStoppedError(f"The task was ended while training job {self._job_name} began; it is stopped.")

    def _wait_in_triggerer(self, job_name: str, begun: Begun) -> None:
        trigger = TrainingJobTrigger(
            job_name=job_name,
            poll_interval_s=self.poll_interval_s,
            deadline=self._deadline(job_name),
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            botocore_config=self.botocore_config,
        )
        self.defer(trigger=trigger, method_name="execute_complete", kwargs={"begun": begun})

    def _wait_here(self, job_name: str) -> None:
        logs, cursor, deadline = AwsLogsHook(**self._connection).conn, job_log.START, self._deadline(job_name)
        while True:
            finished = training_jobs.is_finished(self._describe(job_name))
            lines, cursor = job_log.log_events(logs, job_name, cursor)
            for line in lines:
                self.log.info("%s", line)
            if finished:
                return
            if time.time() > deadline:
                self._give_up()
            time.sleep(self.poll_interval_s)

    def _deadline(self, job_name: str) -> float:
        """Airflow does not apply execution_timeout to a deferred task: the trigger does."""
        deadline = training_jobs.deadline(self._describe(job_name))
        if self.execution_timeout is None:
            return deadline
        return min(deadline, time.time() + self.execution_timeout.total_seconds())

    def _give_up(self) -> NoReturn:
        name = self._job_name
        self._stop()
        message = f"Training job {name} ran past its limits, or the task's execution_timeout, and was stopped."
        raise TrainingStoppedError(message)

    def _stop(self) -> None:
        self._is_done_with = True
        if self._job_name:
            training_jobs.stop_training_job(self.hook.conn, self._job_name)

    def _let_go(self) -> None:
        """What a kill means for the job."""
        if self.stop_on_kill or is_given_up(self._task_instance):
            self._abandon()
        else:
            self.log.info("Training job %s runs on; the next try of this task adopts it", self._job_name)

    def _abandon(self) -> None:
        self._is_done_with = True
        if self._job_name:
            training_jobs.stop_orphaned_job(self.hook.conn, self._job_name, why="its task was ended")

    def _describe(self, job_name: str) -> Mapping[str, Any]:
        job = training_jobs.describe_training_job(self.hook.conn, job_name)
        if job is None:
            raise TrainingError(f"Training job {job_name} is gone; someone deleted it: run this task again.")
        return job

    def _result(self, job: Mapping[str, Any], outcome: Literal["started", "adopted", "reused"]) -> dict[str, Any]:
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
        s3 = S3Hook(**self._connection).conn
        return attempts.has_model(job, s3=s3, accept_time_limit=self.accept_time_limit)

    def _best_validation_accuracy(self, job_name: str) -> float | None:
        try:
            lines, _ = job_log.log_events(AwsLogsHook(**self._connection).conn, job_name)
        except ClientError as error:
            self.log.warning("The log of %s cannot be read, its best accuracy stays unknown: %s", job_name, error)
            return None
        return job_log.best_validation_accuracy(lines)

    @property
    def _connection(self) -> dict[str, Any]:
        return {
            "aws_conn_id": self.aws_conn_id,
            "region_name": self.region_name,
            "verify": self.verify,
            "config": self.botocore_config,
        }
