"""The training task: start a job, adopt one under way, or take the model of one that is done; then wait for it."""

import time
from typing import Any, Literal, NoReturn

from airflow.providers.amazon.aws.hooks.logs import AwsLogsHook
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.operators.sagemaker import SageMakerTrainingOperator, serialize
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowTaskTimeout
from botocore.exceptions import ClientError

from image_classifier.errors import TrainingError, TrainingStoppedError
from image_classifier.resources import training
from image_classifier_airflow.links import TRAINING_LINKS
from image_classifier_airflow.triggers.training import TrainingJobTrigger

Outcome = Literal["started", "adopted", "reused"]


class TrainingJobOperator(SageMakerTrainingOperator):
    """Train a model, and never pay twice for the same one.

    The provider's operator starts a second job on retry, gives up after 30 minutes when deferred, leaves the job
    running when a user kills the task, and shows a stopped job as success; this one does not.

    Returns a dict of training_job, model_artifact, image, outcome (started, adopted, reused), best_validation_accuracy,
    billable_s and seconds.

    When the job is stopped: by a user's kill while the task is deferred (the trigger's on_kill), by the task's
    execution_timeout, and when it outlives its own limits. A worker that goes down leaves it alone, and the next try
    adopts it: SIGTERM does not tell a user's kill from a worker's end. A task that is not deferrable has only SIGTERM;
    `stop_on_kill` says what it means there.

    Args:
        config: CreateTrainingJob's request; its name is the first attempt's.
        poll_interval_s: seconds between two looks at the job.
        deferrable: wait in the triggerer, and not on a worker.
        stop_on_kill: stop the job when the worker process is told to end, whatever the reason.
        kwargs: the provider's and BaseOperator's arguments.

    """

    operator_extra_links = TRAINING_LINKS

    def __init__(
        self,
        *,
        config: dict[str, Any],
        poll_interval_s: int = 10,
        deferrable: bool = True,
        stop_on_kill: bool = False,
        **kwargs: Any,
    ) -> None:
        """Keep what the task needs; `config` may be another task's result."""
        super().__init__(config=config, check_interval=poll_interval_s, deferrable=deferrable, **kwargs)
        self.poll_interval_s = poll_interval_s
        self.stop_on_kill = stop_on_kill
        self._job_name: str | None = None

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """Start, adopt or reuse; then wait.

        Raises:
            TrainingInputError: the algorithm refused its input; a retry would cost the same.
            TrainingServiceError: AWS failed or had no capacity.
            TrainingStoppedError: the job was stopped, by a person or by a time limit.

        """
        try:
            return self._train()
        except AirflowTaskTimeout:
            self._stop()
            raise

    def execute_complete(
        self,
        context: Context,  # noqa: ARG002
        event: dict[str, Any] | None = None,
        outcome: Outcome = "adopted",
    ) -> dict[str, Any]:
        """Go on where the trigger left off."""
        if event is None:
            raise TrainingError("The trigger ended without an event; run this task again: it adopts the job.")
        self._job_name = event["job_name"]
        if event["status"] == "overdue":
            self._give_up()
        return self._result(event["job_name"], outcome)

    def on_kill(self) -> None:
        """Stop the job if that is wanted; see the class."""
        if self.stop_on_kill:
            self._stop()
        elif self._job_name:
            self.log.info("Training job %s runs on; the next try of this task adopts it", self._job_name)

    @property
    def job_name(self) -> str:
        """The job that this task works on: the attempt it decided for, the first one before that."""
        return self._job_name or str(self.config["TrainingJobName"])

    def _train(self) -> dict[str, Any]:
        attempt = training.plan_attempt(self.hook.conn, self.config, s3=S3Hook(**self._connection).conn)
        self._job_name = attempt.job_name
        if attempt.action == "reuse":
            self.log.info("Training job %s has the model already", attempt.job_name)
            return self._result(attempt.job_name, "reused")
        started = attempt.action == "start"
        outcome: Outcome = training.start_training_job(self.hook.conn, attempt.request) if started else "adopted"
        self.log.info("Training job %s: %s", attempt.job_name, outcome)
        if self.deferrable:
            self._wait_in_triggerer(attempt.job_name, outcome)
        self._wait_here(attempt.job_name)
        return self._result(attempt.job_name, outcome)

    def _wait_in_triggerer(self, job_name: str, outcome: Outcome) -> None:
        trigger = TrainingJobTrigger(
            job_name=job_name,
            poll_interval_s=self.poll_interval_s,
            deadline=self._deadline(job_name),
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            botocore_config=self.botocore_config,
        )
        self.defer(trigger=trigger, method_name="execute_complete", kwargs={"outcome": outcome})

    def _wait_here(self, job_name: str) -> None:
        logs, cursor, deadline = AwsLogsHook(**self._connection).conn, training.START, self._deadline(job_name)
        while True:
            finished = training.is_finished(self._describe(job_name))
            lines, cursor = training.log_events(logs, job_name, cursor)
            for line in lines:
                self.log.info("%s", line)
            if finished:
                return
            if time.time() > deadline:
                self._give_up()
            time.sleep(self.poll_interval_s)

    def _deadline(self, job_name: str) -> float:
        """Airflow does not apply execution_timeout to a deferred task: the trigger does."""
        deadline = training.deadline(self._describe(job_name))
        if self.execution_timeout is None:
            return deadline
        return min(deadline, time.time() + self.execution_timeout.total_seconds())

    def _give_up(self) -> NoReturn:
        self._stop()
        message = (
            f"Training job {self._job_name} ran past its limits, or the task's execution_timeout, and was stopped."
        )
        raise TrainingStoppedError(message)

    def _stop(self) -> None:
        if self._job_name and training.stop_training_job(self.hook.conn, self._job_name):
            self.log.info("Training job %s is being stopped", self._job_name)

    def _describe(self, job_name: str) -> Any:
        job = training.describe_training_job(self.hook.conn, job_name)
        if job is None:
            raise TrainingError(f"Training job {job_name} is gone; someone deleted it: run this task again.")
        return job

    def _result(self, job_name: str, outcome: Outcome) -> dict[str, Any]:
        job = self._describe(job_name)
        self.serialized_training_data = serialize(job)  # the provider's lineage reads it
        training.check_completed(job)
        result = training.training_result(job, outcome=outcome, best=self._best_validation_accuracy(job_name))
        self.log.info("Training job %s: %s", job_name, result)
        return result

    def _best_validation_accuracy(self, job_name: str) -> float | None:
        try:
            lines, _ = training.log_events(AwsLogsHook(**self._connection).conn, job_name)
        except ClientError as error:
            self.log.warning("The log of %s cannot be read, its best accuracy stays unknown: %s", job_name, error)
            return None
        return training.best_validation_accuracy(lines)

    @property
    def _connection(self) -> dict[str, Any]:
        return {
            "aws_conn_id": self.aws_conn_id,
            "region_name": self.region_name,
            "verify": self.verify,
            "config": self.botocore_config,
        }
