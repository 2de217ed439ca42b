"""One training job from Downloading to its end: input, the program as a process, its log and metrics, its artifact."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any

import boto3.exceptions
from botocore.exceptions import BotoCoreError, ClientError

from local_aws.children import start_child
from local_aws.sagemaker import artifacts, container
from local_aws.sagemaker.aws import split_s3_uri
from local_aws.sagemaker.logs import LogShipper
from local_aws.sagemaker.training import algorithm_rules, progress
from local_aws.sagemaker.training.channels import DataError, DownloadCancelledError, input_data_config
from local_aws.sagemaker.training.checkpoints import Checkpoints

if TYPE_CHECKING:
    from pathlib import Path

    from local_aws.children import Child
    from local_aws.sagemaker.aws import Aws
    from local_aws.sagemaker.container import Limits
    from local_aws.sagemaker.images import Image
    from local_aws.sagemaker.store import Store
    from local_aws.sagemaker.training.channels import ObjectCache

log = logging.getLogger(__name__)

KIND = "training-job"
LOG_GROUP = "/aws/sagemaker/TrainingJobs"
POLL_S = 0.1
LOOK_S = 0.5  # how often metrics are written down
CHECKPOINT_LOOK_S = 5.0
FAILURE_BYTES = 16 * 1024
INTERRUPTED = (
    "InternalServerError: The local SageMaker was stopped while the job ran, so its process ended. Start the job again."
)


class JobFailedError(Exception):
    """The job ends as Failed; the message is its FailureReason."""


class TrainingRun:
    """A thread that carries one job to its end."""

    def __init__(
        self,
        job: dict[str, Any],
        *,
        image: Image,
        folder: Path,
        aws: Aws,
        store: Store,
        cache: ObjectCache,
        limits: Limits,
    ) -> None:
        """`folder` is the job's own; it holds /opt/ml while the job runs, and the log for ever."""
        self._job = job
        self._name = job["TrainingJobName"]
        self._image = image
        self._base = folder / "ml"
        self._folder = folder
        self._aws = aws
        self._store = store
        self._cache = cache
        self._limits = limits
        self._stop_asked = threading.Event()
        self._closing = False
        self._end_state = "Completed"
        self._child: Child | None = None
        self._metrics = progress.Metrics(job["AlgorithmSpecification"].get("MetricDefinitions", []))
        self._thread = threading.Thread(target=self._run, name=f"job {self._name}", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether the job has not ended."""
        return self._thread.ident is None or self._thread.is_alive()

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """StopTrainingJob: SIGTERM, a grace, SIGKILL; what the program saved is kept."""
        self._stop_asked.set()

    def close(self) -> None:
        """The server ends: so does the job, without its grace."""
        self._closing = True
        self._stop_asked.set()
        if self._child is not None:
            self._child.stop(0)
        self._thread.join(timeout=5)

    def _run(self) -> None:
        log.info("Training job %s starts", self._name)
        reason = "InternalServerError: The local SageMaker failed unexpectedly; its own log says how."
        try:
            self._train()
            reason = ""
        except DownloadCancelledError:
            self._end_state, reason = "Stopped", ""
        except (JobFailedError, DataError) as error:
            reason = str(error)
        except (OSError, sqlite3.Error, ClientError, BotoCoreError, boto3.exceptions.Boto3Error) as error:
            reason = progress.trouble(error)
        finally:
            shutil.rmtree(self._base, ignore_errors=True)
            self._finish(INTERRUPTED if self._closing else reason)

    def _finish(self, reason: str) -> None:
        def end(job: dict[str, Any]) -> None:
            job["FinalMetricDataList"] = self._metrics.final()
            if reason:
                progress.fail(job, reason, now=time.time())
            else:
                progress.enter(job, self._end_state, now=time.time())

        self._change_at_last(end)
        log.info("Training job %s is %s %s", self._name, "Failed" if reason else self._end_state, reason)

    def _change_at_last(self, change: Any) -> None:
        """Write the end down; a full disk is waited for, since a job that never ends would be waited for as well."""
        while not self._closing:
            try:
                self._store.change(KIND, self._name, change)
            except sqlite3.OperationalError as error:
                log.warning("The end of %s cannot be written yet: %s", self._name, error)
                time.sleep(1)
            else:
                return
        self._store.change(KIND, self._name, change)

    def _train(self) -> None:
        if self._image.built_in and (refusal := algorithm_rules.refusal(self._job)):
            raise JobFailedError(refusal)
        self._bring_input()
        status = self._run_program()
        if self._closing:
            raise JobFailedError(INTERRUPTED)
        stopped = self._end_state != "Completed"
        if status != 0 and not stopped:
            raise JobFailedError(progress.failure_reason(self._failure_text(), exit_code=status))
        self._upload_model(only_if_any=stopped)

    def _bring_input(self) -> None:
        self._enter("Downloading", start_clock=True)
        channels = self._job.get("InputDataConfig", [])
        container.prepare_training(self._base, job=self._job, channels=input_data_config(channels))
        for channel in channels:
            folder = self._base / "input" / "data" / channel["ChannelName"]
            folder.mkdir()
            uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
            count = self._cache.download(uri, to=folder, cancelled=self._stop_asked.is_set)
            log.info("Training job %s: channel %s has %d objects", self._name, channel["ChannelName"], count)

    def _run_program(self) -> int:
        checkpoints = self._checkpoints()
        if self._stop_asked.is_set():
            raise DownloadCancelledError
        log_file = self._folder / "algo-1.log"
        stream = f"{self._name}/algo-1-{int(time.time())}"
        with LogShipper(log_file, logs=self._aws.logs, group=LOG_GROUP, stream=stream, on_lines=self._read_lines):
            child = start_child(
                [*self._image.command, "train"], env=self._environment(), log_file=log_file, cwd=self._base
            )
            self._child = child
            self._enter("Training")
            status = self._watch(child, checkpoints)
        if checkpoints is not None and not self._closing:
            checkpoints.sync(everything=True)
        return status

    def _watch(self, child: Child, checkpoints: Checkpoints | None) -> int:
        kill_at: float | None = None
        next_look = next_sync = time.monotonic()
        while (status := child.wait(timeout_s=POLL_S)) is None:
            now = time.monotonic()
            if kill_at is None and self._must_stop():
                kill_at = now + self._limits.stop_grace_s
                child.terminate()
            if kill_at is not None and now >= kill_at:
                return child.stop(0)
            if now >= next_look:
                next_look = now + LOOK_S
                self._write_metrics()
            if checkpoints is not None and now >= next_sync:
                next_sync = now + CHECKPOINT_LOOK_S
                checkpoints.sync()
        return status

    def _must_stop(self) -> bool:
        """Whether someone, or the time limit, ends the job; the job's state says so from then on."""
        if self._stop_asked.is_set():
            self._end_state = "Stopped"
        elif time.time() >= self._job["TrainingStartTime"] + self._job["StoppingCondition"]["MaxRuntimeInSeconds"]:
            self._end_state = "MaxRuntimeExceeded"
            self._enter("Stopping")
        return self._end_state != "Completed"

    def _upload_model(self, *, only_if_any: bool) -> None:
        model = self._base / "model"
        if only_if_any and not any(model.iterdir()):
            return
        if not only_if_any:
            self._enter("Uploading")
        uri = f"{self._job['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{self._name}/output/model.tar.gz"
        bucket, key = split_s3_uri(uri)
        archive = self._base / "model.tar.gz"
        artifacts.pack(model, to=archive)
        self._aws.s3.upload_file(str(archive), bucket, key)
        log.info("Training job %s: model artifact at %s", self._name, uri)
        self._store.change(KIND, self._name, lambda job: job.update(ModelArtifacts={"S3ModelArtifacts": uri}))

    def _checkpoints(self) -> Checkpoints | None:
        uri = self._job.get("CheckpointConfig", {}).get("S3Uri")
        if not uri:
            return None
        checkpoints = Checkpoints(self._base / "checkpoints", uri=uri, aws=self._aws)
        checkpoints.restore()
        return checkpoints

    def _environment(self) -> dict[str, str]:
        own = {"TRAINING_JOB_NAME": self._name, "TRAINING_JOB_ARN": self._job["TrainingJobArn"]}
        given = self._job.get("Environment", {})
        return container.environment(self._base, endpoint_url=self._aws.endpoint_url, given=given, own=own)

    def _failure_text(self) -> str:
        file = self._base / "output" / "failure"
        if not file.exists():
            return ""
        with file.open("rb") as content:
            return content.read(FAILURE_BYTES).decode(errors="replace")

    def _read_lines(self, lines: list[str]) -> None:
        self._metrics.read(lines, now=time.time())

    def _write_metrics(self) -> None:
        final = self._metrics.final()
        if final and final != self._job.get("FinalMetricDataList"):
            self._job["FinalMetricDataList"] = final
            self._store.change(KIND, self._name, lambda job: job.update(FinalMetricDataList=final))

    def _enter(self, state: str, *, start_clock: bool = False) -> None:
        now = time.time()
        if start_clock:
            progress.start_clock(self._job, now=now)

        def change(job: dict[str, Any]) -> None:
            if start_clock:
                progress.start_clock(job, now=now)
            if job["TrainingJobStatus"] != "Stopping":  # StopTrainingJob came in between
                progress.enter(job, state, now=now)

        self._store.change(KIND, self._name, change)
