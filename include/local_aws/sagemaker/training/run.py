"""Runs one training job from Downloading to its end: its hosts, their input and programs, its metrics, its artifact."""

from __future__ import annotations

import contextlib
import logging
import shutil
import time
from typing import TYPE_CHECKING, cast

from local_aws.sagemaker import artifacts, container
from local_aws.sagemaker.aws import split_s3_uri
from local_aws.sagemaker.jobs.failures import SERVICE_ERRORS, JobFailedError
from local_aws.sagemaker.jobs.programs import ProgramsRun
from local_aws.sagemaker.training import algorithm_rules, progress
from local_aws.sagemaker.training.faults import MachineLostError
from local_aws.sagemaker.training.host import Host
from local_aws.sagemaker.training.metric_data import JobMetrics
from local_aws.sagemaker.training.progress import TRAINING_JOB

if TYPE_CHECKING:
    from pathlib import Path

    from local_aws.sagemaker.documents import Document, TrainingJob
    from local_aws.sagemaker.images import Image
    from local_aws.sagemaker.jobs.downloads import ObjectCache
    from local_aws.sagemaker.platform import Platform
    from local_aws.sagemaker.training.faults import TrainingFaults

log = logging.getLogger(__name__)

LOOK_S = 0.5  # how often metrics are stored
CHECKPOINT_LOOK_S = 5.0


class TrainingRun(ProgramsRun[Host]):
    """A thread that runs one training job to its end."""

    def __init__(
        self,
        job: Document,
        *,
        image: Image,
        folder: Path,
        platform: Platform,
        cache: ObjectCache,
        faults: TrainingFaults,
    ) -> None:
        """`folder` is the job's own; it holds /opt/ml of each host while the job runs, and keeps the logs."""
        super().__init__(job, kind=TRAINING_JOB, platform=platform)
        self._image = image
        self._folder = folder
        self._base = folder / "ml"
        self._aws = platform.aws
        self._cache = cache.of_job(platform.aws, cancelled=self._must_stop)
        self._hosts = self._new_hosts()
        self._faults = faults
        self._next_look = self._next_sync = time.monotonic()
        self._retries_left: int = job.get("RetryStrategy", {}).get("MaximumRetryAttempts", 0)
        self._metrics = JobMetrics(job, aws=platform.aws, store=platform.store)

    def metric_values(self, metric: str) -> list[float]:
        """Return the values of a metric, oldest first."""
        return self._metrics.values(metric)

    def _clean_up(self) -> None:
        shutil.rmtree(self._base, ignore_errors=True)

    def _end(self, job: Document, reason: str, *, now: float) -> None:
        if final := self._metrics.final:
            job["FinalMetricDataList"] = final
        super()._end(job, reason, now=now)

    def _finish(self, reason: str) -> None:
        self._metrics.send()
        super()._finish(reason)

    def _begins_again(self, reason: str) -> bool:
        """Start the job again after an InternalServerError, as RetryStrategy says; its time limits continue."""
        if not reason.startswith("InternalServerError") or self._retries_left == 0 or self._must_stop():
            return False
        log.info("Training job %s starts again after: %s", self._name, reason)
        self._retries_left -= 1
        self._faults, self._hosts = self._faults.again(), self._new_hosts()
        self._enter("Starting")
        return True

    def _work(self) -> None:
        if self._image.built_in and (refusal := algorithm_rules.refusal(self._job)):
            raise JobFailedError(refusal)
        self._faults.provision()
        self._wait(self._faults.wait_s)
        failed = self._run_on_machines()
        if self._closing:
            return
        stopped = self._end_state != "Completed"
        if failed is not None and not stopped:
            raise JobFailedError(progress.failure_reason(failed.failure_text(), exit_code=failed.exit_status or 0))
        self._upload_model(only_if_any=stopped)

    def _run_on_machines(self) -> Host | None:
        """Run the job to its end, on other instances after an interruption; return the host that failed first."""
        while True:
            self._enter("Downloading", start_clock=True)
            for host in self._hosts:
                host.bring_input()
            self._wait(self._faults.download_s)
            try:
                return self._run_programs()
            except MachineLostError as loss:
                log.info("Training job %s: %s", self._name, loss)
                self._enter("Interrupted")
                shutil.rmtree(self._base, ignore_errors=True)
                self._wait(loss.wait_s)
                self._hosts = self._new_hosts()
                self._enter("Starting")

    def _run_programs(self) -> Host | None:
        """Run every host's program to its end; return the host that failed first, or None."""
        self._faults.training_begins(epochs=self._metrics.epochs)
        try:
            with contextlib.ExitStack() as programs:
                for host in self._hosts:
                    programs.enter_context(host.running(on_lines=self._metrics.read_lines))
                self._enter("Training")
                failed = self._watch()
        except MachineLostError:  # EC2 announces it two minutes before, so what the program saved by then is in S3
            self._send_checkpoints()
            raise
        self._send_checkpoints()
        return failed

    def _send_checkpoints(self) -> None:
        if not self._closing:
            for host in self._hosts:
                host.sync_checkpoints(everything=True)

    def _look(self) -> None:
        """Store metrics and upload checkpoints regularly; let the planned faults act."""
        for host in self._hosts:
            host.check_input()
        if self._kill_at is None:
            self._faults.happen(epochs=self._metrics.epochs)
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + LOOK_S
            self._metrics.write()
        if now >= self._next_sync:
            self._next_sync = now + CHECKPOINT_LOOK_S
            try:
                for host in self._hosts:
                    host.sync_checkpoints()
            except SERVICE_ERRORS as error:  # the last sync reports an error that lasts
                log.warning("Checkpoints of %s cannot be sent at present: %s", self._name, error)

    def _must_stop(self) -> bool:
        """Return whether the job must end, by request or by a time limit; the job's state says so from then on."""
        if self._stop_asked.is_set():
            self._end_state = "Stopped"
        elif time_is_up := progress.time_is_up(cast("TrainingJob", self._job), now=time.time()):
            self._end_state = time_is_up
            self._enter("Stopping")
        return self._end_state != "Completed"

    def _new_hosts(self) -> list[Host]:
        names = container.host_names(self._job["ResourceConfig"].get("InstanceCount", 1))
        return [
            Host(name, job=self._job, folder=self._folder, image=self._image, aws=self._aws, cache=self._cache)
            for name in names
        ]

    def _upload_model(self, *, only_if_any: bool) -> None:
        models = [host.base / "model" for host in self._hosts]
        if only_if_any and not any(file for model in models for file in model.iterdir()):
            return
        if not only_if_any:
            self._enter("Uploading")
        uri = f"{self._job['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{self._name}/output/model.tar.gz"
        bucket, key = split_s3_uri(uri)
        archive = self._base / "model.tar.gz"
        artifacts.pack(*models, to=archive)
        self._aws.s3.upload_file(str(archive), bucket, key)
        log.info("Training job %s: model artifact at %s", self._name, uri)
        self._change(lambda job: job.update(ModelArtifacts={"S3ModelArtifacts": uri}))

    def _enter(self, state: str, *, start_clock: bool = False) -> None:
        now = time.time()

        def change(document: Document) -> None:
            job = cast("TrainingJob", document)
            if start_clock:
                progress.start_clock(job, now=now)
            if job["TrainingJobStatus"] != "Stopping":  # StopTrainingJob came in between
                progress.enter(job, state, now=now)

        self._change(change)
