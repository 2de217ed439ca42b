"""Runs one transform job to its end: its objects are divided among instances, sent, and the answers uploaded."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from local_aws.sagemaker.aws import DOWNLOAD_THREADS, split_s3_uri
from local_aws.sagemaker.hosting.model_files import ModelFilesError, unpack_model
from local_aws.sagemaker.hosting.models import served_container
from local_aws.sagemaker.jobs.downloads import share
from local_aws.sagemaker.jobs.failures import JobFailedError, JobStoppedError
from local_aws.sagemaker.jobs.run import POLL_S, JobRun
from local_aws.sagemaker.transform import inputs, parameters, records
from local_aws.sagemaker.transform.kind import TRANSFORM_JOB
from local_aws.sagemaker.transform.worker import RecordFailedError, Worker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local_aws.sagemaker.documents import Document, Model
    from local_aws.sagemaker.images import Image
    from local_aws.sagemaker.jobs.faults import JobFaults
    from local_aws.sagemaker.platform import Platform
    from local_aws.sagemaker.transform.inputs import InputObject
    from local_aws.sagemaker.transform.parameters import Parameters


class TransformRun(JobRun):
    """A thread that runs one transform job to its end."""

    def __init__(
        self, job: Document, *, model: Model, image: Image, folder: Path, platform: Platform, faults: JobFaults
    ) -> None:
        """`folder` is the job's own; it keeps the logs, and loses the model and the answers when the job ends."""
        super().__init__(job, kind=TRANSFORM_JOB, store=platform.store)
        self._aws = platform.aws
        self._folder = folder
        self._answers = folder / "answers"
        self._faults = faults
        self._definition = served_container(model)
        self._workers = [
            Worker(number, job=job, model=model, image=image, folder=folder, platform=platform)
            for number in range(job["TransformResources"]["InstanceCount"])
        ]
        self._failed_sides: list[str] = []  # appended to by many threads
        self._giving_up = threading.Event()

    def _kill(self) -> None:
        for worker in self._workers:
            worker.kill()

    def _clean_up(self) -> None:
        for folder in (self._answers, self._folder / "serving"):
            shutil.rmtree(folder, ignore_errors=True)

    def _work(self) -> None:
        self._faults.provision()
        items = inputs.find(self._job["TransformInput"], aws=self._aws)
        self._change(lambda job: TRANSFORM_JOB.start_clock(job, now=time.time()))
        self._wait(self._faults.download_s)
        self._bring_model()
        self._faults.programs_begin()
        self._transform(items)
        self._upload(items)
        if self._failed_sides:
            side = "AlgorithmError" if "AlgorithmError" in self._failed_sides else "ClientError"
            raise JobFailedError(f"{side}: See job logs for more information")

    def _bring_model(self) -> None:
        self._answers.mkdir(parents=True)
        try:
            unpack_model(self._definition, base=self._folder / "serving", aws=self._aws)
        except ModelFilesError as error:
            raise JobFailedError(f"ClientError: {error}") from error

    def _transform(self, items: list[InputObject]) -> None:
        """Let every instance answer for its share of the objects."""
        with contextlib.ExitStack() as programs:
            for worker in self._workers:
                programs.enter_context(worker.serving())
            for worker in self._workers:
                worker.wait_until_healthy(must_stop=self._must_stop)
            how = parameters.resolved(self._job, self._workers[0].execution_parameters())
            pool = programs.enter_context(ThreadPoolExecutor(len(self._workers) * how.max_concurrent))
            programs.callback(self._kill)  # before the pool waits for its threads, which wait for answers
            programs.callback(self._giving_up.set)
            numbered = list(enumerate(items))
            requests = []
            for place, worker in enumerate(self._workers):
                worker.log.begin(how)
                todo = _Todo(share(numbered, part=(place, len(self._workers))))
                requests += [pool.submit(self._answer_all, todo, worker, how) for _ in range(how.max_concurrent)]
            self._watch(requests)

    def _watch(self, requests: list[Future[None]]) -> None:
        """Wait until every object has been sent, or until a stop, a planned failure or an unexpected error."""
        while True:
            done, waiting = wait(requests, timeout=POLL_S, return_when=FIRST_EXCEPTION)
            for request in done:
                request.result()
            if self._must_stop():
                raise JobStoppedError
            self._faults.fail_if_due()
            if not waiting:
                return

    def _answer_all(self, todo: _Todo, worker: Worker, how: Parameters) -> None:
        for number, item in todo:
            if self._must_give_up():
                return
            try:
                answer = self._answer(item, worker, how)
            except RecordFailedError as error:
                self._failed_sides.append(error.side)
                worker.log.refused(item, error.headline, message=error.message)
            else:
                (self._answers / str(number)).write_bytes(answer)

    def _answer(self, item: InputObject, worker: Worker, how: Parameters) -> bytes:
        """Return the content of the object's .out file.

        Raises:
            RecordFailedError: the model refused the object or one of its records.

        """
        source = self._job["TransformInput"]
        try:
            data = inputs.content(item, source, aws=self._aws)
            bodies = records.payloads(
                data, split_type=source["SplitType"], strategy=how.strategy, max_payload_mb=how.max_payload_mb
            )
            answers = [worker.answer(item, body, must_stop=self._must_give_up) for body in bodies]
        except (ClientError, inputs.NotGzipError, records.TooLargeError) as error:
            raise RecordFailedError(f"ClientError: {error}", side="ClientError") from error
        return records.assembled(answers, assemble_with=self._job["TransformOutput"]["AssembleWith"])

    def _must_give_up(self) -> bool:
        return self._giving_up.is_set() or self._stop_asked.is_set()

    def _upload(self, items: list[InputObject]) -> None:
        """Upload the answers to the place that the request names; a stopped job uploads none."""
        bucket, prefix = split_s3_uri(self._job["TransformOutput"]["S3OutputPath"])
        folder = f"{prefix.rstrip('/')}/" if prefix.rstrip("/") else ""

        def put(answer: Path, key: str) -> None:
            self._aws.write(bucket, key, answer.read_bytes())

        with ThreadPoolExecutor(DOWNLOAD_THREADS) as pool:
            uploads = [
                pool.submit(put, answer, f"{folder}{item.below}.out")
                for number, item in enumerate(items)
                if (answer := self._answers / str(number)).exists()
            ]
            for upload in uploads:
                upload.result()


class _Todo:
    """Objects that several threads take one by one."""

    def __init__(self, items: list[tuple[int, InputObject]]) -> None:
        self._items = iter(items)
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[tuple[int, InputObject]]:
        while True:
            with self._lock:
                item = next(self._items, None)
            if item is None:
                return
            yield item
