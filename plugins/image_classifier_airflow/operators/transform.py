"""Scores test images: starts a batch transform job, adopts one in progress, or takes the results of a completed one."""

import time
from collections.abc import Mapping
from threading import Thread
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.amazon.aws.operators.sagemaker import SageMakerBaseOperator
from airflow.sdk import Context

from image_classifier.contracts.errors import EvaluationError, EvaluationStoppedError
from image_classifier.evaluate import results, transform_jobs
from image_classifier.train import owners
from image_classifier_airflow.aws_errors import with_our_errors
from image_classifier_airflow.connection import client, connection_arguments
from image_classifier_airflow.links import TRANSFORM_LINKS
from image_classifier_airflow.task_states import is_given_up, owner

if TYPE_CHECKING:
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

MOST_KILL_S = 4  # Airflow kills a task's process for good five seconds after it has asked it to end


class TransformJobOperator(SageMakerBaseOperator):
    """Score images, and never pay twice for the same ones.

    The provider's operator starts a second job, and a second model, on retry, gives up after 30 minutes when deferred,
    leaves the job running when a user kills the task, and shows a stopped job as success; this one does not.

    **The job's name** is computed from its request. A retry, a cleared task and a later run find the job that runs and
    follow it, and take the results of one that is done. One that failed for its images is not tried again until the
    images or the model change; after a failure of AWS the next attempt is started. A job that failed although nearly
    all images have a result counts as done: one image that cannot be read fails a whole job.

    **When the job is stopped**: by a user's mark failed, mark success or clear, whether the task runs or is deferred;
    and after its time limit, which takes the place of an execution_timeout. A worker or a triggerer that goes down
    leaves it alone, and the next try adopts it.

    Returns the job's name, or None if there was nothing to score.

    Args:
        config: ``request``, CreateTransformJob's request for the first attempt; ``classifier``, whose name the job has;
            ``time_limit_s``, after which it is stopped. Nothing if the images have been scored before.
        poll_interval_s: seconds between two looks at the job.
        deferrable: wait in the triggerer, and not on a worker.
        kwargs: the provider's and BaseOperator's arguments.

    """

    operator_extra_links = TRANSFORM_LINKS
    _task_instance: "RuntimeTaskInstanceProtocol"  # as soon as the task runs

    def __init__(
        self,
        *,
        config: dict[str, Any],
        poll_interval_s: int = 5,
        deferrable: bool = True,
        **kwargs: Any,
    ) -> None:
        """Keep what the task needs; the request is another task's result."""
        super().__init__(config=config, **{**kwargs, "execution_timeout": None})  # time_limit_s takes its place
        self.poll_interval_s = poll_interval_s
        self.deferrable = deferrable
        self._job_name: str | None = None
        self._is_done_with = False  # a kill then has nothing to say about the job

    @with_our_errors
    def execute(self, context: Context) -> str | None:
        """Start, adopt or reuse; then wait.

        Raises:
            EvaluationInputError: the model refused the images; a retry would cost the same.
            EvaluationStoppedError: the job was stopped, by a person or by the time limit.
            EvaluationError: AWS failed, or had no capacity.

        """
        self._task_instance = context["ti"]
        if not self.config:
            self.log.info("These images have been scored before; nothing is started.")
            return None
        return self._score()

    @with_our_errors
    def execute_complete(self, context: Context, event: dict[str, Any] | None = None, awaited: bool = False) -> str:
        """Go on where the trigger left off."""
        if event is None:
            raise EvaluationError("The trigger ended without an event; run this task again: it adopts the job.")
        self._task_instance, self._job_name = context["ti"], event["job_name"]
        if event["status"] == "overdue":
            self._give_up()
        return self._score() if awaited else self._conclude(event["job_name"])

    def on_kill(self) -> None:
        """Stop the job if a user ended the task; see the class.

        A signal interrupts the task anywhere, also while it asks Airflow something: then only another thread can ask.
        """
        if self._job_name and not self._is_done_with:
            thread = Thread(target=self._let_go, name=f"image-classifier {self._job_name}", daemon=True)
            thread.start()
            thread.join(MOST_KILL_S)

    @property
    def job_name(self) -> str:
        """The job that this task works on: the attempt it decided for, the first one before that."""
        return self._job_name or str(self.config["request"]["TransformJobName"] if self.config else "")

    def _score(self) -> str:
        attempt = transform_jobs.plan_attempt(
            self.hook.conn, self.config["request"], classifier=self.config["classifier"]
        )
        self._job_name = name = attempt.job_name
        self.log.info("Transform job %s: %s", name, attempt.action)
        if attempt.action == "reuse":
            return self._conclude(name)
        self._begin(attempt)
        self._leave_if_given_up()
        if self.deferrable:
            self._wait_in_triggerer(name, awaited=attempt.action == "await")
        self._wait_here(name)
        return self._score() if attempt.action == "await" else self._conclude(name)

    def _begin(self, attempt: transform_jobs.Attempt) -> None:
        """Start the job, or adopt it; its tags name this task, which the watch Dag asks Airflow about."""
        task, begun = owner(self._task_instance), str(attempt.action)
        if begun == "start":
            begun = transform_jobs.start_transform_job(self.hook.conn, owners.with_owner(attempt.request, task))
        if begun in ("adopt", "adopted"):
            arn = self._describe(attempt.job_name)["TransformJobArn"]
            owners.set_owner_of_arn(self.hook.conn, arn, owner=task)

    def _conclude(self, name: str) -> str:
        if self._is_done_with:
            raise EvaluationError(f"This task was told to end, and transform job {name} was stopped with it.")
        job = self._describe(name)
        if job["TransformJobStatus"] == "Stopped" and owners.stopped_as_orphan(
            owners.tags_of_arn(self.hook.conn, job["TransformJobArn"])
        ):
            return self._score()
        if job["TransformJobStatus"] == "Failed" and results.has_enough_results(client(self, "s3"), job):
            self.log.warning("Transform job %s failed for some images, and the others' results are used: %s", name, job)
            return name
        transform_jobs.check_completed(job)
        return name

    def _leave_if_given_up(self) -> None:
        """Between the job's creation and Airflow's note that the task waits for it, a user's kill tells nobody."""
        if is_given_up(self._task_instance):
            self._stop()
            raise EvaluationStoppedError(
                f"The task was ended while transform job {self._job_name} began; it is stopped."
            )

    def _wait_in_triggerer(self, name: str, *, awaited: bool) -> None:
        from image_classifier_airflow.triggers.transform import TransformJobTrigger

        trigger = TransformJobTrigger(
            job_name=name,
            poll_interval_s=self.poll_interval_s,
            deadline=self._deadline(name),
            **connection_arguments(self),
        )
        self.defer(trigger=trigger, method_name="execute_complete", kwargs={"awaited": awaited})

    def _wait_here(self, name: str) -> None:
        deadline = self._deadline(name)
        while not transform_jobs.is_finished(self._describe(name)):
            if time.time() > deadline:
                self._give_up()
            time.sleep(self.poll_interval_s)

    def _deadline(self, name: str) -> float:
        return transform_jobs.deadline(self._describe(name), time_limit_s=self.config["time_limit_s"])

    def _give_up(self) -> NoReturn:
        name = self._job_name
        self._stop()
        raise EvaluationStoppedError(f"Transform job {name} ran past evaluation.time_limit_s, and was stopped.")

    def _stop(self) -> None:
        self._is_done_with = True
        if self._job_name:
            transform_jobs.stop_orphaned_transform_job(self.hook.conn, self._job_name, why="its task was ended")

    def _let_go(self) -> None:
        """What a kill means for the job."""
        if is_given_up(self._task_instance):
            self._stop()
        else:
            self.log.info("Transform job %s runs on; the next try of this task adopts it", self._job_name)

    def _describe(self, name: str) -> Mapping[str, Any]:
        job = transform_jobs.describe_transform_job(self.hook.conn, name)
        if job is None:
            raise EvaluationError(f"Transform job {name} is gone; run this task again.")
        return job
