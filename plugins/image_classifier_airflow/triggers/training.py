"""Waits for a training job in the triggerer, and shows its log in the task's log while it runs."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from airflow.providers.amazon.aws.hooks.logs import AwsLogsHook
from airflow.providers.amazon.aws.hooks.sagemaker import SageMakerHook
from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import UNREACHABLE, is_absent, is_expired, is_invalid, is_transient
from image_classifier.train.job_log import ABSENT, START, Call, Cursor, Response, new_lines
from image_classifier.train.owners import stop_note
from image_classifier.train.training_jobs import is_finished
from image_classifier_airflow.triggers.polling import PollingTrigger


class TrainingJobTrigger(PollingTrigger):
    """One event: {"status": "finished" | "absent" | "overdue", "job_name": ...}. A user's kill stops the job."""

    def __init__(self, *, job_name: str, **arguments: Any) -> None:
        """Watch training job `job_name`; see `PollingTrigger` for the rest."""
        super().__init__(**arguments)
        self.job_name = job_name
        self._cursor: Cursor | None = START  # None once the log may not be read
        self._stage = ""

    def subject(self) -> dict[str, Any]:
        return {"job_name": self.job_name}

    async def watch(self) -> dict[str, Any] | None:
        """Describe the job and print what is new in its log, until it ends or should have."""
        async with await self.client(SageMakerHook) as sagemaker, await self.client(AwsLogsHook) as logs:
            while True:
                event = await self._look(sagemaker)
                await self._print_new_lines(logs)
                if event := event or self.overdue():
                    return event
                await asyncio.sleep(self.poll_interval_s)

    async def on_kill(self) -> None:
        """Stop the job: Airflow calls this for a user's kill, and not when a worker or the triggerer goes down.

        Airflow 3.3.2 cancels a trigger anew every second until it has ended, this method included, so it is shielded.
        """
        self.log.info("A user ended the task: training job %s is being stopped", self.job_name)
        stopping = asyncio.ensure_future(self._stop())
        while not stopping.done():
            with suppress(asyncio.CancelledError):
                await asyncio.shield(stopping)
        stopping.result()

    async def _stop(self) -> None:
        async with await self.client(SageMakerHook) as sagemaker:
            await self._note_end(sagemaker)
            try:
                await sagemaker.stop_training_job(TrainingJobName=self.job_name)
            except ClientError as error:
                if not (is_absent(error) or is_invalid(error)):
                    raise
                self.log.info("Training job %s had ended before it could be stopped", self.job_name)

    async def _note_end(self, sagemaker: Any) -> None:
        """On the job, for a next try of the task that has taken it over already."""
        try:
            job = await sagemaker.describe_training_job(TrainingJobName=self.job_name)
            await sagemaker.add_tags(ResourceArn=job["TrainingJobArn"], Tags=stop_note("a user ended its task"))
        except (ClientError, *UNREACHABLE) as error:
            self.log.warning("Training job %s is stopped without a note on it: %s", self.job_name, error)

    async def _look(self, sagemaker: Any) -> dict[str, Any] | None:
        try:
            job: Mapping[str, Any] = await sagemaker.describe_training_job(TrainingJobName=self.job_name)
        except (ClientError, *UNREACHABLE) as error:
            if isinstance(error, ClientError) and is_absent(error):
                return {"status": "absent", **self.subject()}
            if not is_transient(error):
                raise
            self.log.info("SageMaker did not answer, asking again: %s", error)
            return None
        self._tell(job)
        return {"status": "finished", **self.subject()} if is_finished(job) else None

    def _tell(self, job: Mapping[str, Any]) -> None:
        stage = str(job.get("SecondaryStatus", job["TrainingJobStatus"]))
        if stage != self._stage:
            self._stage = stage
            self.log.info("Training job %s: %s", self.job_name, stage)

    async def _print_new_lines(self, logs: Any) -> None:
        """The log is good to see and never worth failing for: a job trains whether or not it can be read."""
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
