"""Scores images: starts a transform job, adopts a running one or reuses a completed one, and waits for its end."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.operators.sagemaker import SageMakerBaseOperator
from airflow.sdk import BaseOperatorLink, Context

from image_classifier.aws.jobs.kinds import TRANSFORM_JOB
from image_classifier.contracts.errors import EvaluationError, EvaluationStoppedError
from image_classifier_airflow.aws_errors import with_our_errors
from image_classifier_airflow.connection import client
from image_classifier_airflow.links import TRANSFORM_LINKS
from image_classifier_airflow.operators.jobs import RequestedJobOperator

if TYPE_CHECKING:
    from image_classifier.aws.jobs.attempts import Attempt, RequestedJobs
    from image_classifier_airflow.triggers.jobs import JobTrigger


class TransformJobOperator(RequestedJobOperator, SageMakerBaseOperator):
    """Scores images, and never pays twice for the same ones.

    The provider's operator starts a second job, and a second model, on retry, times out after 30 minutes when deferred,
    leaves the job running when a user kills the task, and shows a stopped job as success; this one does not.

    **The job's name** is computed from its request. A retry, a cleared task and a later run adopt a running job, and
    reuse the results of a completed one. A job that failed because of its images is not repeated until the images or
    the model change; after a failure of AWS the next attempt is started. A failed job with results of nearly all images
    counts as completed, because a single unreadable image makes a job fail.

    **When the job is stopped**: when a user marks the task failed or success or clears it, whether it runs or is
    deferred; and after its time limit, which replaces an execution_timeout. A shutdown of the worker or the triggerer
    does not stop it, and the next try adopts it.

    Returns the job's name, or None if no image had to be scored.

    Args:
        config: ``request``, CreateTransformJob's request for the first attempt; ``classifier``, whose name the job has;
            ``time_limit_s``, after which it is stopped. Empty if the images have been scored before.
        poll_interval_s: seconds between two DescribeTransformJob calls.
        deferrable: wait in the triggerer instead of on a worker.
        kwargs: the provider's and BaseOperator's arguments.

    """

    operator_extra_links: Collection[BaseOperatorLink] = TRANSFORM_LINKS
    kind = TRANSFORM_JOB
    failed, stopped, limits = EvaluationError, EvaluationStoppedError, "evaluation.time_limit_s"

    def __init__(
        self,
        *,
        config: dict[str, Any],
        poll_interval_s: int = 5,
        deferrable: bool = True,
        **kwargs: Any,
    ) -> None:
        """Store the arguments; the request is another task's result."""
        super().__init__(config=config, **{**kwargs, "execution_timeout": None})  # time_limit_s replaces it
        self.poll_interval_s = poll_interval_s
        self.deferrable = deferrable

    @with_our_errors
    def execute(self, context: Context) -> str | None:
        """Start, adopt or reuse a job, and wait for its end.

        Raises:
            EvaluationInputError: the model refused the images; a retry would cost the same and fail again.
            EvaluationStoppedError: a person or the time limit stopped the job.
            EvaluationError: AWS failed, or had no capacity.

        """
        return self.run_requested_job(context)

    @property
    def jobs(self) -> "RequestedJobs":
        """The batch transform jobs."""
        from image_classifier.evaluate.transform_jobs import TRANSFORM_JOBS

        return TRANSFORM_JOBS

    def _plan(self) -> "Attempt":
        request, classifier = self.config["request"], self.config["classifier"]
        return self.jobs.plan_attempt(
            self.hook.conn, request, classifier=classifier, left_results=self._has_enough_results
        )

    def _has_enough_results(self, job: Mapping[str, Any]) -> bool:
        from image_classifier.evaluate import results

        return results.has_enough_results(client(self, "s3"), job)

    def _check_completed(self, job: Mapping[str, Any]) -> None:
        if job["TransformJobStatus"] == "Failed" and self._has_enough_results(job):
            name = job["TransformJobName"]
            self.log.warning("Transform job %s failed for some images, and the others' results are used: %s", name, job)
            return
        super()._check_completed(job)

    def _trigger(self) -> "type[JobTrigger]":
        from image_classifier_airflow.triggers.transform import TransformJobTrigger

        return TransformJobTrigger
