"""Waits for a batch transform job in the triggerer; a user's kill stops the job."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from airflow.providers.amazon.aws.hooks.sagemaker import SageMakerHook
from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import UNREACHABLE, is_absent, is_invalid, is_transient
from image_classifier.evaluate.transform_jobs import is_finished
from image_classifier_airflow.triggers.polling import PollingTrigger


class TransformJobTrigger(PollingTrigger):
    """One event: {"status": "finished" | "absent" | "overdue", "job_name": ...}. A user's kill stops the job."""

    def __init__(self, *, job_name: str, **arguments: Any) -> None:
        """Watch transform job `job_name`; see `PollingTrigger` for the rest."""
        super().__init__(**arguments)
        self.job_name = job_name

    def subject(self) -> dict[str, Any]:
        return {"job_name": self.job_name}

    async def watch(self) -> dict[str, Any] | None:
        """Describe the job until it ends or should have."""
        async with await self.client(SageMakerHook) as sagemaker:
            while True:
                if event := await self._look(sagemaker) or self.overdue():
                    return event
                await asyncio.sleep(self.poll_interval_s)

    async def on_kill(self) -> None:
        """Stop the job: Airflow calls this for a user's kill, and not when a worker or the triggerer goes down.

        Airflow 3.3.2 cancels a trigger anew every second until it has ended, this method included, so it is shielded.
        """
        self.log.info("A user ended the task: transform job %s is being stopped", self.job_name)
        stopping = asyncio.ensure_future(self._stop())
        while not stopping.done():
            with suppress(asyncio.CancelledError):
                await asyncio.shield(stopping)
        stopping.result()

    async def _stop(self) -> None:
        async with await self.client(SageMakerHook) as sagemaker:
            try:
                await sagemaker.stop_transform_job(TransformJobName=self.job_name)
            except ClientError as error:
                if not (is_absent(error) or is_invalid(error)):
                    raise
                self.log.info("Transform job %s had ended before it could be stopped", self.job_name)

    async def _look(self, sagemaker: Any) -> dict[str, Any] | None:
        try:
            job: Mapping[str, Any] = await sagemaker.describe_transform_job(TransformJobName=self.job_name)
        except (ClientError, *UNREACHABLE) as error:
            if isinstance(error, ClientError) and is_absent(error):
                return {"status": "absent", **self.subject()}
            if not is_transient(error):
                raise
            self.log.info("SageMaker did not answer, asking again: %s", error)
            return None
        return {"status": "finished", **self.subject()} if is_finished(job) else None
