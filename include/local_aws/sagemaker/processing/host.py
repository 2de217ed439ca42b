"""Runs one host of a processing job: its folders, inputs and outputs, its process and its log."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from local_aws.sagemaker import container, manifests
from local_aws.sagemaker.jobs.downloads import WHOLE, DataError, relative_path, share
from local_aws.sagemaker.jobs.programs import HostProgram
from local_aws.sagemaker.jobs.synced_folder import SyncedFolder
from local_aws.sagemaker.logs import LogShipper
from local_aws.sagemaker.processing import requests

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local_aws.sagemaker.aws import Aws, S3Object
    from local_aws.sagemaker.documents import Document
    from local_aws.sagemaker.images import Image
    from local_aws.sagemaker.jobs.downloads import ObjectCache

LOG_GROUP = "/aws/sagemaker/ProcessingJobs"
CONTAINER_ROOT = "/opt/ml/"
MESSAGE_BYTES = 1024


class ProcessingHost(HostProgram):
    """One host, which would be an instance on AWS."""

    def __init__(self, name: str, *, job: Document, folder: Path, image: Image, aws: Aws, cache: ObjectCache) -> None:
        """Create the host; see `HostProgram`."""
        super().__init__(name, job=job, folder=folder, image=image, aws=aws, cache=cache)
        self._hosts = container.host_names(requests.cluster_of(job)["InstanceCount"])
        self._outputs: dict[str, list[SyncedFolder]] = {"Continuous": [], "EndOfJob": []}

    def bring_input(self) -> None:
        """Make the folders, and download the inputs.

        Raises:
            JobFailedError: an input cannot be brought.
            JobStoppedError: the job must stop.

        """
        container.prepare_processing(self.base, job=self._job, hosts=self._hosts, host=self.name)
        for output in requests.sent_outputs(self._job):
            folder = SyncedFolder(self._inside(output["LocalPath"]), uri=output["S3Uri"], aws=self._aws)
            self._outputs[output["S3UploadMode"]].append(folder)
        for source in requests.brought_inputs(self._job):
            self._bring(source)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Run the program and ship its log; both end with the context."""
        stream = f"{self._job['ProcessingJobName']}/{self.name}-{time.time_ns() // 1_000_000}"
        shipper = LogShipper(self._log_file, logs=self._aws.logs, group=LOG_GROUP, stream=stream)
        arguments = self._job["AppSpecification"].get("ContainerArguments", [])
        command = [*self._image.command, *(self._mapped(argument) for argument in arguments)]
        with self.program(command, env=self._environment(), cwd=self.base, shipper=shipper):
            yield

    def send_continuous_outputs(self, *, everything: bool = False) -> None:
        """Upload the changed files of outputs with S3UploadMode Continuous."""
        for output in self._outputs["Continuous"]:
            output.sync(everything=everything)

    def send_final_outputs(self) -> None:
        """Upload the outputs with S3UploadMode EndOfJob."""
        for output in self._outputs["EndOfJob"]:
            output.sync(everything=True)

    def message(self) -> bytes:
        """Return what the program wrote for DescribeProcessingJob, at most 1 KB."""
        try:
            with (self.base / "output" / "message").open("rb") as content:
                return content.read(MESSAGE_BYTES)
        except OSError:
            return b""

    def _bring(self, source: Document) -> None:
        to, uri = self._inside(source["LocalPath"]), source["S3Uri"]
        is_sharded = source.get("S3DataDistributionType") == "ShardedByS3Key"
        part = (self._hosts.index(self.name), len(self._hosts)) if is_sharded else WHOLE
        to.mkdir(parents=True, exist_ok=True)
        if source["S3DataType"] == "ManifestFile":
            manifest = manifests.read(uri, aws=self._aws)
            names = share(manifest.names, part=part)
            self._cache.place({self._object(manifest, name): to / _checked(name) for name in names})
        else:
            self._cache.download(uri, to=to, part=part)

    def _object(self, manifest: manifests.Manifest, name: str) -> S3Object:
        return self._aws.object(manifest.bucket, manifest.prefix + name)

    def _inside(self, path: str) -> Path:
        """Return the path on this machine of a path in the container."""
        return self.base / path.removeprefix(CONTAINER_ROOT)

    def _mapped(self, argument: str) -> str:
        return str(self._inside(argument)) if argument.startswith(CONTAINER_ROOT) else argument

    def _environment(self) -> dict[str, str]:
        own = {}
        if len(self._hosts) > 1:
            self._hosts_folder.mkdir(exist_ok=True)
            own[container.HOSTS_FOLDER_VARIABLE] = str(self._hosts_folder)
        given = self._job.get("Environment", {})
        return container.environment(self.base, aws=self._aws, given=given, own=own)


def _checked(name: str) -> str:
    """Return the name as a path below its input.

    Raises:
        DataError: it would be a path elsewhere.

    """
    if not name:
        raise DataError("ClientError: Data download failed:The manifest names an object without a name")
    return relative_path(name, prefix="")
