"""Waits for a training job in the triggerer, and copies its log to the task's log."""

from collections.abc import Mapping
from typing import Any

from airflow.providers.amazon.aws.hooks.logs import AwsLogsHook
from airflow.providers.amazon.aws.hooks.sagemaker import SageMakerHook
from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import UNREACHABLE, is_absent, is_expired, is_transient
from image_classifier.aws.jobs.kinds import TRAINING_JOB
from image_classifier.train.job_log import ABSENT, START, Call, Cursor, Response, new_lines
from image_classifier_airflow.triggers.jobs import JobTrigger


class TrainingJobTrigger(JobTrigger):
    """Waits for a training job; for its event see `JobTrigger`."""

    kind = TRAINING_JOB

    def __init__(self, *, job_name: str, **arguments: Any) -> None:
        """Store the job's name; see `PollingTrigger` for the rest."""
        super().__init__(job_name=job_name, **arguments)
        self._cursor: Cursor | None = START  # None once reading the log was refused
        self._stage = ""

    async def watch(self) -> dict[str, Any] | None:
        """Describe the job and print its new log lines until it has ended, or until the deadline."""
        async with await self.client(SageMakerHook) as sagemaker, await self.client(AwsLogsHook) as logs:
            return await self.poll(lambda: self._look_and_print(sagemaker, logs))

    async def _look_and_print(self, sagemaker: Any, logs: Any) -> dict[str, Any] | None:
        event = await self._look(sagemaker)
        await self._print_new_lines(logs)
        return event

    def show(self, job: Mapping[str, Any]) -> None:
        stage = str(job.get("SecondaryStatus", job["TrainingJobStatus"]))
        if stage != self._stage:
            self._stage = stage
            self.log.info("Training job %s: %s", self.job_name, stage)

    async def _print_new_lines(self, logs: Any) -> None:
        """Print the job's new log lines; an error is only logged, because the log is not essential."""
        if self._cursor is None:
            return
        try:
            lines, self._cursor = await _read(logs, self.job_name, self._cursor)
        except (ClientError, *UNREACHABLE) as error:
            if is_expired(error):
                raise
            if not is_transient(error):
                self.log.warning("The job's log cannot be read, and is not shown: %s", error)
                self._cursor = None
            return
        for line in lines:
            self.log.info("%s", line)


async def _read(logs: Any, job_name: str, after: Cursor) -> tuple[list[str], Cursor]:
    reading = new_lines(job_name, after)
    call = next(reading)
    while True:
        try:
            call = reading.send(await _answer(logs, call))
        except StopIteration as end:
            lines, cursor = end.value
            return lines, cursor


async def _answer(logs: Any, call: Call) -> Response:
    try:
        response: Response = await getattr(logs, call.method)(**call.arguments)
    except ClientError as error:
        if is_absent(error):
            return ABSENT
        raise
    return response
