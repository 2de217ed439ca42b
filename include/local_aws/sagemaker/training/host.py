"""Runs one host of a training job: its folders, its input, its process and its log."""

from __future__ import annotations

import contextlib
import logging
import time
from typing import TYPE_CHECKING

from local_aws.sagemaker import container
from local_aws.sagemaker.jobs.downloads import WHOLE
from local_aws.sagemaker.jobs.programs import HostProgram
from local_aws.sagemaker.jobs.synced_folder import SyncedFolder
from local_aws.sagemaker.logs import LogShipper
from local_aws.sagemaker.training.channels import input_data_config, input_mode, is_sharded
from local_aws.sagemaker.training.pipes import ChannelPipes
from local_aws.sagemaker.training.streams import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from local_aws.sagemaker.aws import Aws
    from local_aws.sagemaker.documents import Document
    from local_aws.sagemaker.images import Image
    from local_aws.sagemaker.jobs.downloads import ObjectCache, Part

log = logging.getLogger(__name__)

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
FAILURE_BYTES = 16 * 1024


class Host(HostProgram):
    """One host, which would be an instance on AWS."""

    def __init__(self, name: str, *, job: Document, folder: Path, image: Image, aws: Aws, cache: ObjectCache) -> None:
        """Create the host; see `HostProgram`."""
        super().__init__(name, job=job, folder=folder, image=image, aws=aws, cache=cache)
        self._checkpoints: SyncedFolder | None = None
        self._pipes: list[ChannelPipes] = []

    @property
    def failure(self) -> Path:
        """The file to which the program writes why it fails."""
        return self.base / "output" / "failure"

    @property
    def reported_failure_at(self) -> float:
        """The time at which the program wrote why it fails; 0 if it has not."""
        return self.failure.stat().st_mtime if self.failure.exists() else 0.0

    def bring_input(self) -> None:
        """Make the folders, and download the channels.

        Raises:
            DataError: a channel cannot be brought.
            JobStoppedError: the job must stop.

        """
        container.prepare_training(self.base, job=self._job, channels=input_data_config(self._job), host=self.name)
        for channel in self._job.get("InputDataConfig", []):
            self._bring(channel)
        uri = self._job.get("CheckpointConfig", {}).get("S3Uri")
        if uri:
            self._checkpoints = SyncedFolder(self.base / "checkpoints", uri=uri, aws=self._aws)
            self._checkpoints.restore()

    @contextlib.contextmanager
    def running(self, *, on_lines: Callable[[list[str]], None]) -> Iterator[None]:
        """Run the program, fill its pipes and ship its log; all three end with the context."""
        stream = f"{self._job['TrainingJobName']}/{self.name}-{time.time_ns() // 1_000_000}"
        shipper = LogShipper(self._log_file, logs=self._aws.logs, group=LOG_GROUP, stream=stream, on_lines=on_lines)
        command, env = [*self._image.command, "train"], self._environment()
        with contextlib.ExitStack() as parts:
            for pipes in self._pipes:
                parts.enter_context(pipes)
            parts.enter_context(self.program(command, env=env, cwd=self.base, shipper=shipper))
            yield

    def check_input(self) -> None:
        """Raise the error that keeps a pipe from being filled, if there is one."""
        for pipes in self._pipes:
            pipes.check()

    def sync_checkpoints(self, *, everything: bool = False) -> None:
        """Upload the changed checkpoints."""
        if self._checkpoints is not None:
            self._checkpoints.sync(everything=everything)

    def failure_text(self) -> str:
        """Return what the program wrote about its failure."""
        if not self.failure.exists():
            return ""
        with self.failure.open("rb") as content:
            return content.read(FAILURE_BYTES).decode(errors="replace")

    def _bring(self, channel: Document) -> None:
        name, data = channel["ChannelName"], self.base / "input" / "data"
        part = self._part() if is_sharded(channel) else WHOLE
        if input_mode(channel, job=self._job) == "Pipe":
            stream = Stream(channel, part=part, aws=self._aws, cache=self._cache)
            self._pipes.append(ChannelPipes(data, name, stream=stream))
            return
        (data / name).mkdir()
        uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
        count = self._cache.download(uri, to=data / name, part=part)
        log.info("Training job %s: channel %s has %d objects", self._job["TrainingJobName"], name, count)

    def _part(self) -> Part:
        names = container.host_names(self._job["ResourceConfig"].get("InstanceCount", 1))
        return names.index(self.name), len(names)

    def _environment(self) -> dict[str, str]:
        own = {
            "TRAINING_JOB_NAME": self._job["TrainingJobName"],
            "TRAINING_JOB_ARN": self._job["TrainingJobArn"],
        }
        if self._job["ResourceConfig"].get("InstanceCount", 1) > 1:
            self._hosts_folder.mkdir(exist_ok=True)
            own[container.HOSTS_FOLDER_VARIABLE] = str(self._hosts_folder)
        given = self._job.get("Environment", {})
        return container.environment(self.base, aws=self._aws, given=given, own=own)
