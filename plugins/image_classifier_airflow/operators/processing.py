"""Prepares images on instances: starts a processing job, adopts one in progress, or goes on after a completed one."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.operators.sagemaker import SageMakerBaseOperator
from airflow.sdk import BaseOperatorLink, Context

from image_classifier.aws.jobs.kinds import PROCESSING_JOB
from image_classifier.contracts.errors import PreparationError, PreparationStoppedError
from image_classifier_airflow.aws_errors import with_our_errors
from image_classifier_airflow.connection import client
from image_classifier_airflow.links import PROCESSING_LINKS
from image_classifier_airflow.operators.jobs import RequestedJobOperator
from image_classifier_airflow.task_states import owner

if TYPE_CHECKING:
    from image_classifier.aws.jobs.attempts import Attempt, RequestedJobs
    from image_classifier_airflow.triggers.jobs import JobTrigger


class ProcessingJobOperator(RequestedJobOperator, SageMakerBaseOperator):
    """Run a processing job, and never pay twice for the same one.

    The provider's operator starts a second job on retry, gives up after 30 minutes when deferred, leaves the job
    running when a user kills the task, and fails with a KeyError on a job that was stopped; this one does not.

    **The job's name** is computed from its request. A retry, a cleared task and a later run adopt a job that runs, and
    start none after one that is completed. A job that failed is not repeated by the same run, because its program would
    fail again; a new run, after what was missing has been set right, makes the next attempt. After a failure of AWS or
    a stop the next attempt is started.

    **When the job is stopped**: when a user marks the task failed or success or clears it, whether it runs or is
    deferred; and after its time limit, which takes the place of an execution_timeout. A shutdown of the worker or the
    triggerer does not stop it, and the next try adopts it.

    Returns the job's name, or None without a config.

    Args:
        config: ``request``, CreateProcessingJob's request for the first attempt; ``classifier``, whose name the job
            has; ``time_limit_s``, after which it is stopped. Empty if no image must be read.
        poll_interval_s: seconds between two DescribeProcessingJob calls.
        deferrable: wait in the triggerer instead of on a worker.
        kwargs: the provider's and BaseOperator's arguments.

    """

    operator_extra_links: Collection[BaseOperatorLink] = PROCESSING_LINKS
    kind = PROCESSING_JOB
    failed, stopped, limits = PreparationError, PreparationStoppedError, "preparation.time_limit_s"

    def __init__(
        self,
        *,
        config: dict[str, Any],
        poll_interval_s: int = 10,
        deferrable: bool = True,
        **kwargs: Any,
    ) -> None:
        """Store the arguments; the request is another task's result."""
        super().__init__(config=config, **{**kwargs, "execution_timeout": None})  # time_limit_s takes its place
        self.poll_interval_s = poll_interval_s
        self.deferrable = deferrable

    @with_our_errors
    def execute(self, context: Context) -> str | None:
        """Start, adopt or reuse the job, and wait for its end.

        Raises:
            PreparationInputError: the job's program failed, or AWS refused the request; a retry would cost the same.
            PreparationStoppedError: a person stopped the job, or it exceeded its time limit.
            PreparationError: AWS failed, or had no capacity.

        """
        return self.run_requested_job(context)

    @property
    def jobs(self) -> "RequestedJobs":
        """The processing jobs that prepare images."""
        from image_classifier.prepare.processing.jobs import PROCESSING_JOBS

        return PROCESSING_JOBS

    def _plan(self) -> "Attempt":
        from image_classifier.prepare.processing.work import has_parts

        task = owner(self._task_instance)
        return self.jobs.plan_attempt(
            self.hook.conn,
            self.config["request"],
            classifier=self.config["classifier"],
            of_run=(task.dag_id, task.run_id),
            has_results=lambda: has_parts(client(self, "s3"), self.config["request"]),
        )

    def _trigger(self) -> "type[JobTrigger]":
        from image_classifier_airflow.triggers.processing import ProcessingJobTrigger

        return ProcessingJobTrigger
