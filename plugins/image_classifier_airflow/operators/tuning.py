"""Tunes hyperparameters: starts a tuning job, adopts a running one or reuses a completed one, and waits for its end."""

import time
from collections.abc import Mapping
from threading import Thread
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.amazon.aws.operators.sagemaker import SageMakerTuningOperator
from airflow.sdk import Context

from image_classifier.contracts.errors import TrainingError, TrainingStoppedError
from image_classifier.train import owners
from image_classifier.train.tuning import tuning_jobs
from image_classifier_airflow.aws_errors import with_our_errors
from image_classifier_airflow.connection import client, connection_arguments
from image_classifier_airflow.links import TUNING_LINKS
from image_classifier_airflow.task_states import is_given_up, owner

if TYPE_CHECKING:
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

MOST_KILL_S = 4  # Airflow sends SIGKILL to a task's process five seconds after SIGTERM


class TuningJobOperator(SageMakerTuningOperator):
    """Tune hyperparameters, and never pay twice for the same search.

    The provider's operator does not look for an existing job, so that a retry fails while the first job runs on; it
    times out after four hours when deferred, leaves the job running when a user kills the task, and shows a stopped
    job as success; this one does not.

    **The job's name** is computed from the images, the settings and the ranges. A retry, a cleared task and a later run
    adopt a running job, and reuse the models of a completed one. A job whose training jobs failed is not repeated until
    the request changes; after any other end the next attempt is started.

    **When the job is stopped**, with its training jobs: when a user marks the task failed or success or clears it,
    whether it runs or is deferred; and when it exceeds the limits of its training jobs, which take the place of an
    execution_timeout. A shutdown of the worker or the triggerer does not stop it, and the next try adopts it.

    Returns the tuning job's name, or None if the run does not tune.

    Args:
        config: ``request``, CreateHyperParameterTuningJob's request for the first attempt; ``alternatives``, the same
            for other instance types; ``classifier`` and ``training_job``, from which the name is computed; ``force``,
            whether the run wants a job of its own. Empty if the run does not tune.
        poll_interval_s: seconds between two DescribeHyperParameterTuningJob calls.
        deferrable: wait in the triggerer instead of on a worker.
        kwargs: the provider's and BaseOperator's arguments.

    """

    operator_extra_links = TUNING_LINKS
    _task_instance: "RuntimeTaskInstanceProtocol"  # as soon as the task runs

    def __init__(
        self,
        *,
        config: dict[str, Any],
        poll_interval_s: int = 10,
        deferrable: bool = True,
        **kwargs: Any,
    ) -> None:
        """Store the arguments; the request is another task's result."""
        arguments = {**kwargs, "execution_timeout": None}  # the limits of the training jobs take its place
        super().__init__(config=config, check_interval=poll_interval_s, deferrable=deferrable, **arguments)
        self.poll_interval_s = poll_interval_s
        self._job_name: str | None = None
        self._is_done_with = False  # a kill then has nothing to say about the job

    @with_our_errors
    def execute(self, context: Context) -> str | None:  # type: ignore[override]
        """Start, adopt or reuse a job, and wait for its end.

        Raises:
            TrainingInputError: AWS or the algorithm refused the request; a retry would cost the same and fail again.
            TrainingServiceError: AWS failed or had no capacity.
            TrainingStoppedError: a person stopped the job, or it exceeded its limits.

        """
        self._task_instance = context["ti"]
        if not self.config:
            self.log.info("This run does not tune; nothing is started.")
            return None
        return self._tune()

    @with_our_errors
    def execute_complete(  # type: ignore[override]
        self, context: Context, event: dict[str, Any] | None = None, awaited: bool = False
    ) -> str:
        """Continue after the trigger's event."""
        if event is None:
            raise TrainingError("The trigger ended without an event; run this task again: it adopts the job.")
        self._task_instance, self._job_name = context["ti"], event["job_name"]
        if event["status"] == "overdue":
            self._give_up()
        return self._tune() if awaited else self._conclude(event["job_name"])

    def on_kill(self) -> None:
        """Stop the job if a user ended the task.

        The signal may interrupt the task during a request to Airflow; so another thread sends the request.
        """
        if self._job_name and not self._is_done_with:
            thread = Thread(target=self._let_go, name=f"image-classifier {self._job_name}", daemon=True)
            thread.start()
            thread.join(MOST_KILL_S)

    @property
    def job_name(self) -> str:
        """The name of the job that this task waits for; before an attempt is chosen, that of the first attempt."""
        return self._job_name or str(self.config["request"]["HyperParameterTuningJobName"] if self.config else "")

    def _tune(self) -> str:
        attempt = self._plan()
        self._job_name = name = attempt.job_name
        self.log.info("Tuning job %s: %s", name, attempt.action)
        if attempt.action == "reuse":
            return self._conclude(name)
        self._begin(attempt)
        self._leave_if_given_up()
        if self.deferrable:
            self._wait_in_triggerer(name, awaited=attempt.action == "await")
        self._wait_here(name)
        return self._tune() if attempt.action == "await" else self._conclude(name)

    def _plan(self) -> tuning_jobs.Attempt:
        task = owner(self._task_instance)
        return tuning_jobs.plan_attempt(
            self.hook.conn,
            self.config["request"],
            s3=client(self, "s3"),
            classifier=self.config["classifier"],
            training_job=self.config["training_job"],
            only_of_run=(task.dag_id, task.run_id) if self.config["force"] else None,
        )

    def _begin(self, attempt: tuning_jobs.Attempt) -> None:
        """Start the job, or adopt it; its tags name this task, which the watch Dag asks Airflow about."""
        task, begun = owner(self._task_instance), str(attempt.action)
        if begun == "start":
            name = {"HyperParameterTuningJobName": attempt.job_name}
            requests = [self.config["request"], *self.config["alternatives"]]
            begun = tuning_jobs.start_tuning_job(
                self.hook.conn, [owners.with_owner({**request, **name}, task) for request in requests]
            )
        if begun in ("adopt", "adopted"):
            arn = self._describe(attempt.job_name)["HyperParameterTuningJobArn"]
            owners.set_owner_of_arn(self.hook.conn, arn, owner=task)

    def _conclude(self, name: str) -> str:
        """Return the name of the completed job, or start the next attempt after one that was stopped as orphaned."""
        if self._is_done_with:  # Between SIGTERM and SIGKILL are five seconds, enough to start another job
            raise TrainingError(f"This task was told to end, and tuning job {name} was stopped with it.")
        job = self._describe(name)
        if job["HyperParameterTuningJobStatus"] == "Stopped" and owners.stopped_as_orphan(
            owners.tags_of_arn(self.hook.conn, job["HyperParameterTuningJobArn"])
        ):
            return self._tune()
        tuning_jobs.check_completed(job)
        self.log.info("Tuning job %s: %s", name, job.get("TrainingJobStatusCounters"))
        return name

    def _leave_if_given_up(self) -> None:
        """Stop the job if a user ended the task before it was deferred; no kill handler runs in that moment."""
        if is_given_up(self._task_instance):
            self._stop()
            raise TrainingStoppedError(f"The task was ended while tuning job {self._job_name} began; it is stopped.")

    def _wait_in_triggerer(self, name: str, *, awaited: bool) -> None:
        from image_classifier_airflow.triggers.tuning import TuningJobTrigger

        trigger = TuningJobTrigger(
            job_name=name,
            poll_interval_s=self.poll_interval_s,
            deadline=tuning_jobs.deadline(self._describe(name)),
            **connection_arguments(self),
        )
        self.defer(trigger=trigger, method_name="execute_complete", kwargs={"awaited": awaited})

    def _wait_here(self, name: str) -> None:
        while not tuning_jobs.is_finished(job := self._describe(name)):
            if time.time() > tuning_jobs.deadline(job):
                self._give_up()
            time.sleep(self.poll_interval_s)

    def _give_up(self) -> NoReturn:
        name = self._job_name
        self._stop()
        raise TrainingStoppedError(f"Tuning job {name} ran past the limits of its training jobs, and was stopped.")

    def _stop(self) -> None:
        self._is_done_with = True
        if self._job_name:
            tuning_jobs.stop_orphaned_tuning_job(self.hook.conn, self._job_name, why="its task was ended")

    def _let_go(self) -> None:
        """Stop the job, or leave it to the next try of the task."""
        if is_given_up(self._task_instance):
            self._stop()
        else:
            self.log.info("Tuning job %s runs on; the next try of this task adopts it", self._job_name)

    def _describe(self, name: str) -> Mapping[str, Any]:
        job = tuning_jobs.describe_tuning_job(self.hook.conn, name)
        if job is None:
            raise TrainingError(f"Tuning job {name} is gone; someone deleted it: run this task again.")
        return job
