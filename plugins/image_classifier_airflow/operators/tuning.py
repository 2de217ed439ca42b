"""Tunes hyperparameters: starts a tuning job, adopts a running one or reuses a completed one, and waits for its end."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.operators.sagemaker import SageMakerTuningOperator
from airflow.sdk import Context

from image_classifier.aws.jobs import owners
from image_classifier.aws.jobs.kinds import TUNING_JOB
from image_classifier.contracts.errors import TrainingError, TrainingStoppedError
from image_classifier_airflow.aws_errors import with_our_errors
from image_classifier_airflow.connection import client
from image_classifier_airflow.links import TUNING_LINKS
from image_classifier_airflow.operators.jobs import JobOperator
from image_classifier_airflow.task_states import owner

if TYPE_CHECKING:
    from image_classifier.train.tuning.tuning_jobs import Attempt
    from image_classifier_airflow.triggers.jobs import JobTrigger


class TuningJobOperator(JobOperator["Attempt"], SageMakerTuningOperator):  # type: ignore[misc]  # execute_complete
    """Tunes hyperparameters, and never pays twice for the same search.

    The provider's operator does not look for an existing job, so a retry fails while the first job continues; it
    times out after four hours when deferred, leaves the job running when a user kills the task, and shows a stopped
    job as success; this one does not.

    **The job's name** is computed from the images, the settings and the ranges. A retry, a cleared task and a later run
    adopt a running job, and reuse the models of a completed one. A job whose training jobs failed is not repeated until
    the request changes; after any other end the next attempt is started.

    **When the job is stopped**, with its training jobs: when a user marks the task failed or success or clears it,
    whether it runs or is deferred; and when it exceeds the limits of its training jobs, which replace an
    execution_timeout. A shutdown of the worker or the triggerer does not stop it, and the next try adopts it.

    Returns the tuning job's name, or None if the run does not tune.

    Args:
        config: ``request``, CreateHyperParameterTuningJob's request for the first attempt; ``alternatives``, the same
            for other instance types; ``classifier`` and ``training_job``, from which the name is computed; ``force``,
            whether the run must have its own job. Empty if the run does not tune.
        poll_interval_s: seconds between two DescribeHyperParameterTuningJob calls.
        deferrable: wait in the triggerer instead of on a worker.
        kwargs: the provider's and BaseOperator's arguments.

    """

    operator_extra_links = TUNING_LINKS
    kind = TUNING_JOB
    failed, stopped, limits = TrainingError, TrainingStoppedError, "the limits of its training jobs"

    def __init__(
        self,
        *,
        config: dict[str, Any],
        poll_interval_s: int = 10,
        deferrable: bool = True,
        **kwargs: Any,
    ) -> None:
        """Store the arguments; the request is another task's result."""
        arguments = {**kwargs, "execution_timeout": None}  # the limits of the training jobs replace it
        super().__init__(config=config, check_interval=poll_interval_s, deferrable=deferrable, **arguments)
        self.poll_interval_s = poll_interval_s

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
        return self.run_job()

    def _plan(self) -> "Attempt":
        from image_classifier.train.tuning import tuning_jobs

        task = owner(self._task_instance)
        return tuning_jobs.plan_attempt(
            self.hook.conn,
            self.config["request"],
            s3=client(self, "s3"),
            classifier=self.config["classifier"],
            training_job=self.config["training_job"],
            only_of_run=(task.dag_id, task.run_id) if self.config["force"] else None,
        )

    def _start(self, attempt: "Attempt") -> str:
        from image_classifier.train.tuning import tuning_jobs

        name, task = {"HyperParameterTuningJobName": attempt.job_name}, owner(self._task_instance)
        requests = [self.config["request"], *self.config["alternatives"]]
        return tuning_jobs.start_tuning_job(
            self.hook.conn, [owners.with_owner({**request, **name}, task) for request in requests]
        )

    def _check_completed(self, job: Mapping[str, Any]) -> None:
        from image_classifier.train.tuning import tuning_jobs

        tuning_jobs.check_completed(job)
        name = job["HyperParameterTuningJobName"]
        self.log.info("Tuning job %s: %s", name, job.get("TrainingJobStatusCounters"))

    def _deadline(self, name: str) -> float:
        from image_classifier.train.tuning import tuning_jobs

        return tuning_jobs.deadline(self._describe(name))

    def _trigger(self) -> "type[JobTrigger]":
        from image_classifier_airflow.triggers.tuning import TuningJobTrigger

        return TuningJobTrigger
