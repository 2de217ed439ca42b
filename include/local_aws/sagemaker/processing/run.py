"""Runs one processing job to its end: inputs, programs, outputs and messages."""

from __future__ import annotations

import contextlib
import logging
import shutil
import time
from typing import TYPE_CHECKING

from local_aws.sagemaker import container
from local_aws.sagemaker.jobs.failures import SERVICE_ERRORS, JobFailedError
from local_aws.sagemaker.jobs.programs import ProgramsRun
from local_aws.sagemaker.processing import requests
from local_aws.sagemaker.processing.host import MESSAGE_BYTES, ProcessingHost
from local_aws.sagemaker.processing.kind import PROCESSING_JOB

if TYPE_CHECKING:
    from pathlib import Path

    from local_aws.sagemaker.documents import Document
    from local_aws.sagemaker.images import Image
    from local_aws.sagemaker.jobs.downloads import ObjectCache
    from local_aws.sagemaker.jobs.faults import JobFaults
    from local_aws.sagemaker.platform import Platform

log = logging.getLogger(__name__)

SEND_S = 1.0  # how often outputs with S3UploadMode Continuous are sent


class ProcessingRun(ProgramsRun[ProcessingHost]):
    """A thread that runs one processing job to its end."""

    def __init__(
        self, job: Document, *, image: Image, folder: Path, platform: Platform, cache: ObjectCache, faults: JobFaults
    ) -> None:
        """`folder` is the job's own; it holds /opt/ml of each host while the job runs, and keeps the logs."""
        super().__init__(job, kind=PROCESSING_JOB, platform=platform)
        self._folder = folder
        self._faults = faults
        self._next_send = time.monotonic()
        self._messages = ""
        inputs = cache.of_job(platform.aws, cancelled=self._must_stop)
        self._hosts = [
            ProcessingHost(name, job=job, folder=folder, image=image, aws=platform.aws, cache=inputs)
            for name in container.host_names(requests.cluster_of(job)["InstanceCount"])
        ]

    def _clean_up(self) -> None:
        shutil.rmtree(self._folder / "ml", ignore_errors=True)

    def _end(self, job: Document, reason: str, *, now: float) -> None:
        if self._messages:
            job["ExitMessage"] = self._messages
        super()._end(job, reason, now=now)

    def _work(self) -> None:
        self._faults.provision()
        self._change(lambda job: PROCESSING_JOB.start_clock(job, now=time.time()))
        for host in self._hosts:
            host.bring_input()
        self._wait(self._faults.download_s)
        self._faults.programs_begin()
        with contextlib.ExitStack() as programs:
            for host in self._hosts:
                programs.enter_context(host.running())
            failed = self._watch()
        if self._closing:
            return
        self._read_messages()
        for host in self._hosts:
            host.send_continuous_outputs(everything=True)
        if self._end_state != "Completed":
            return
        if failed is not None:
            raise JobFailedError("AlgorithmError: See job logs for more information")
        for host in self._hosts:
            host.send_final_outputs()

    def _look(self) -> None:
        if self._kill_at is None:
            self._faults.fail_if_due()
        now = time.monotonic()
        if now < self._next_send:
            return
        self._next_send = now + SEND_S
        try:
            for host in self._hosts:
                host.send_continuous_outputs()
        except SERVICE_ERRORS as error:  # the last upload reports an error that lasts
            log.warning("Outputs of %s cannot be sent at present: %s", self._name, error)

    def _must_stop(self) -> bool:
        """Return whether the job must end, by request or by its time limit; its end state says so from then on."""
        began = self._job.get("ProcessingStartTime")
        if began is not None and time.time() - began >= self._job["StoppingCondition"]["MaxRuntimeInSeconds"]:
            self._stop_asked.set()
        return super()._must_stop()

    def _read_messages(self) -> None:
        """Store what the hosts wrote to output/message, one after the other.

        Raises:
            JobFailedError: it is not UTF-8.

        """
        messages = b"".join(host.message() for host in self._hosts)
        try:
            text = messages.decode()
        except UnicodeDecodeError as error:
            raise JobFailedError(f"ClientError: /opt/ml/output/message is not UTF-8 encoded text: {error}") from error
        self._messages = text.encode()[:MESSAGE_BYTES].decode(errors="ignore")
