"""Waits in the triggerer for a SageMaker job of any kind; a user's kill stops the job."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from airflow.providers.amazon.aws.hooks.sagemaker import SageMakerHook
from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import UNREACHABLE, is_absent, is_invalid, is_transient
from image_classifier.aws.jobs.kinds import JobKind
from image_classifier.aws.jobs.owners import stop_note
from image_classifier_airflow.triggers.polling import PollingTrigger


class JobTrigger(PollingTrigger):
    """A trigger with one event: {"status": "finished" | "absent" | "overdue", "job_name": ...}."""

    kind: JobKind

    def __init__(self, *, job_name: str, **arguments: Any) -> None:
        """Store the job's name; see `PollingTrigger` for the rest."""
        super().__init__(**arguments)
        self.job_name = job_name

    def subject(self) -> dict[str, Any]:
        return {"job_name": self.job_name}

    async def watch(self) -> dict[str, Any] | None:
        """Describe the job until it has ended, or until the deadline."""
        async with await self.client(SageMakerHook) as sagemaker:
            return await self.poll(lambda: self._look(sagemaker))

    async def on_kill(self) -> None:
        """Stop the job: Airflow calls this if a user ends the task, and not if a worker or the triggerer shuts down.

        Airflow 3.3.2 cancels a trigger every second until it has ended, including this method, so it is shielded.
        """
        self.log.info("A user ended the task: %s %s is being stopped", self.kind.words, self.job_name)
        stopping = asyncio.ensure_future(self._stop())
        while not stopping.done():
            with suppress(asyncio.CancelledError):
                await asyncio.shield(stopping)
        stopping.result()

    async def _stop(self) -> None:
        async with await self.client(SageMakerHook) as sagemaker:
            await self._note_end(sagemaker)
            try:
                await self.kind.call_stop(sagemaker, self.job_name)
            except ClientError as error:
                if not (is_absent(error) or is_invalid(error)):
                    raise
                self.log.info("The %s %s had ended before it could be stopped", self.kind.words, self.job_name)

    async def _note_end(self, sagemaker: Any) -> None:
        """Tag the job as orphaned, for a next try of the task that has already adopted it."""
        try:
            arn = self.kind.arn_of(await self._describe(sagemaker))
            await sagemaker.add_tags(ResourceArn=arn, Tags=stop_note("a user ended its task"))
        except (ClientError, *UNREACHABLE) as error:
            self.log.warning("The %s %s is stopped without a tag: %s", self.kind.words, self.job_name, error)

    async def _look(self, sagemaker: Any) -> dict[str, Any] | None:
        try:
            job = await self._describe(sagemaker)
        except (ClientError, *UNREACHABLE) as error:
            if isinstance(error, ClientError) and is_absent(error):
                return {"status": "absent", **self.subject()}
            if not is_transient(error):
                raise
            self.log.info("SageMaker did not answer, asking again: %s", error)
            return None
        self.show(job)
        return {"status": "finished", **self.subject()} if self.kind.is_finished(job) else None

    def show(self, job: Mapping[str, Any]) -> None:
        """Log news about the job in the task's log; a subclass may override this."""

    async def _describe(self, sagemaker: Any) -> Mapping[str, Any]:
        job: Mapping[str, Any] = await self.kind.call_describe(sagemaker, self.job_name)
        return job
