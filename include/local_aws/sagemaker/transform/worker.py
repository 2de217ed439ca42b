"""Runs one instance of a transform job: the model's serving process, its two logs, and the requests to it."""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING

import urllib3

from local_aws.faults.plan import RecordFails
from local_aws.sagemaker import container
from local_aws.sagemaker.hosting.instance import Instance, instance_id
from local_aws.sagemaker.hosting.models import served_container
from local_aws.sagemaker.jobs.failures import JobFailedError, JobStoppedError
from local_aws.sagemaker.logs import LogShipper
from local_aws.sagemaker.transform.data_log import DataLog
from local_aws.sagemaker.transform.parameters import DEFAULT_RETRIES, DEFAULT_TIMEOUT_S, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from local_aws.sagemaker.documents import Document, Model
    from local_aws.sagemaker.images import Image
    from local_aws.sagemaker.platform import Platform
    from local_aws.sagemaker.transform.inputs import InputObject

LOG_GROUP = "/aws/sagemaker/TransformJobs"
NO_PING = (
    "AlgorithmError: Model container failed to respond to ping; Ensure /ping endpoint is implemented and responds with "
    "an HTTP 200 status code"
)
FIRST_CLIENT_ERROR, FIRST_SERVER_ERROR = 400, 500
TOO_MANY_REQUESTS = 429
RESTART_S = 10.0  # a process that died is started again within this, unless it dies again and again
POLL_S = 0.05
FIRST_BACKOFF_S = 0.1
CONNECT_TIMEOUT_S = 5.0
MAX_CONNECTIONS = 100  # as many as MaxConcurrentTransforms can be


class RecordFailedError(Exception):
    """The model answered a request with an error; `side` is ``ClientError`` or ``AlgorithmError``."""

    def __init__(self, headline: str, *, side: str, message: str = "") -> None:
        """`message` is the answer of the model."""
        super().__init__(headline)
        self.headline = headline
        self.side = side
        self.message = message


class Worker:
    """One instance of the job."""

    def __init__(
        self, number: int, *, job: Document, model: Model, image: Image, folder: Path, platform: Platform
    ) -> None:
        """`folder` is the job's own: its ``serving`` has the unpacked model, and it keeps the logs."""
        self._job = job
        self._platform = platform
        self._definition = served_container(model)
        self._base = folder / "serving"
        name = job["TransformJobName"]
        identity = instance_id(f"{name}/{number}")
        # The names are those of "CloudWatch Logs for Amazon SageMaker" in the developer guide.
        stream = f"{name}/{identity}-{time.time_ns() // 1_000_000}"
        self._data_shipper = self._shipper(folder / f"{identity}-data.log", f"{stream}/data-log")
        self.log = DataLog(self._data_shipper.file)
        self._instance = Instance(
            owner=f"Transform job {name}",
            variant=identity,
            command=image.command,
            environment=self._environment,
            folder=self._base,
            shipper=self._shipper(folder / f"{identity}.log", stream),
            ping_timeout_s=platform.limits.ping_timeout_s,
        )
        client = job.get("ModelClientConfig", {})
        timeout_s = client.get("InvocationsTimeoutInSeconds", DEFAULT_TIMEOUT_S)
        self._timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=timeout_s)
        self._retries = client.get("InvocationsMaxRetries", DEFAULT_RETRIES)
        self._pool = urllib3.PoolManager(maxsize=MAX_CONNECTIONS, retries=False)

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """Run the process and ship its logs; both end with the context."""
        with self._data_shipper:
            self._instance.start()
            try:
                yield
            finally:
                self._instance.stop()
                self._pool.clear()

    def kill(self) -> None:
        """End the process at once."""
        self._instance.stop()

    def wait_until_healthy(self, *, must_stop: Callable[[], bool]) -> None:
        """Wait until the model answers ``/ping``.

        Raises:
            JobFailedError: it does not.
            JobStoppedError: `must_stop` said so.

        """
        while not self._instance.healthy.wait(POLL_S):
            if must_stop():
                raise JobStoppedError
            if self._instance.failed.is_set():
                raise JobFailedError(NO_PING)

    def execution_parameters(self) -> Document:
        """Return what the model answers at ``/execution-parameters``; empty if it has no such page."""
        try:
            answer = self._pool.request("GET", self._url("execution-parameters"), timeout=self._timeout)
            told = json.loads(answer.data) if answer.status < FIRST_CLIENT_ERROR else {}
        except (urllib3.exceptions.HTTPError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    def answer(self, item: InputObject, payload: bytes, *, must_stop: Callable[[], bool]) -> bytes:
        """Return the model's answer to one request; failed requests that may succeed are repeated.

        Raises:
            RecordFailedError: the model does not answer well.
            JobFailedError: there is no process any more.
            JobStoppedError: `must_stop` said so.

        """
        retries_left, backoff_s = self._retries, FIRST_BACKOFF_S
        while True:
            self._wait_for_restart(must_stop)
            try:
                return self._ask(item, payload)
            except RecordFailedError as error:
                if must_stop():
                    raise JobStoppedError from error
                if not retries_left or error.side == "ClientError":
                    raise
            time.sleep(backoff_s)
            retries_left, backoff_s = retries_left - 1, backoff_s * 2

    def _ask(self, item: InputObject, payload: bytes) -> bytes:
        status, data = self._planned(item) or self._post(payload)
        if status < FIRST_CLIENT_ERROR:
            return data
        message = data.decode(errors="replace")
        if status < FIRST_SERVER_ERROR and status != TOO_MANY_REQUESTS:
            raise RecordFailedError(f"ClientError: {status}", side="ClientError", message=message)
        headline = f"Bad HTTP status received from algorithm: {status}"
        raise RecordFailedError(headline, side="AlgorithmError", message=message)

    def _post(self, payload: bytes) -> tuple[int, bytes]:
        source, output = self._job["TransformInput"], self._job["TransformOutput"]
        headers = {"Content-Type": source.get("ContentType", ""), "Accept": output.get("Accept", "")}
        chunked = self._job.get("MaxPayloadInMB") == 0
        try:
            answer = self._pool.request(
                "POST",
                self._url("invocations"),
                body=payload,
                headers={name: value for name, value in headers.items() if value},
                chunked=chunked,
                timeout=self._timeout,
            )
        except urllib3.exceptions.HTTPError as error:
            self._instance.suspend()  # it may be ending: the next request waits until `/ping` answers again
            raise RecordFailedError("Unable to get response from algorithm", side="AlgorithmError") from error
        return answer.status, answer.data

    def _planned(self, item: InputObject) -> tuple[int, bytes] | None:
        """Return the answer that the fault plan has for this request, or None."""
        request = {"TransformJobName": self._job["TransformJobName"], "Bucket": item.bucket, "Key": item.key}
        fault = self._platform.faults.take(RecordFails, request)
        return None if fault is None else (fault.status, b"The fault plan says so.")

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._instance.port}/{path}"  # a program that was restarted has another port

    def _wait_for_restart(self, must_stop: Callable[[], bool]) -> None:
        deadline = time.monotonic() + RESTART_S
        while not self._instance.healthy.wait(POLL_S) and time.monotonic() < deadline:
            if must_stop():
                raise JobStoppedError
            if self._instance.failed.is_set():
                raise JobFailedError(NO_PING)

    def _environment(self, port: int) -> dict[str, str]:
        own = {"SAGEMAKER_BIND_TO_PORT": str(port)} | environment(self._job)
        given = self._definition.get("Environment", {}) | self._job.get("Environment", {})
        return container.environment(self._base, aws=self._platform.aws, given=given, own=own)

    def _shipper(self, file: Path, stream: str) -> LogShipper:
        return LogShipper(file, logs=self._platform.aws.logs, group=LOG_GROUP, stream=stream)
