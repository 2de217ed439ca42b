"""Implements what the operations on all kinds of jobs share: unique names, stop, list, and the end with the server."""

from __future__ import annotations

import shutil
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

from local_aws.sagemaker.protocol.errors import ServiceError, validation_error
from local_aws.sagemaker.protocol.listing import page
from local_aws.sagemaker.protocol.tags import as_dict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local_aws.sagemaker.documents import Document
    from local_aws.sagemaker.jobs.kinds import JobKind
    from local_aws.sagemaker.jobs.run import JobRun
    from local_aws.sagemaker.platform import Platform


class Jobs:
    """The jobs of one kind: their documents in the store, and the runs of those that have not ended."""

    def __init__(self, kind: JobKind, *, platform: Platform) -> None:
        """Run no job yet; each job gets a folder of its own."""
        self._kind = kind
        self._store = platform.store
        self._aws = platform.aws
        self.folder = platform.state / f"{kind.kind}s"
        self._runs: dict[str, JobRun] = {}
        self._lock = threading.Lock()

    def lose_all(self) -> list[Document]:
        """End the jobs whose processes ended with the previous server; return them."""
        lost = self.in_progress()
        for job in lost:
            end = partial(self._kind.lose, now=self._last_active_time(job))
            self._store.change(self._kind.kind, job[self._kind.name_key], end)
        return lost

    def close(self) -> None:
        """End the running jobs."""
        for run in list(self._runs.values()):
            run.close()

    def arn(self, name: str) -> str:
        """Return the ARN of a job."""
        return self._aws.arn(self._kind.kind, name)

    def in_progress(self) -> list[Document]:
        """Return the jobs that have not ended."""
        return [job for job in self._store.all(self._kind.kind) if self._kind.in_progress(job)]

    def check_new(self, name: str) -> None:
        """Refuse a name that is in use.

        Raises:
            ServiceError: ``ResourceInUse``.

        """
        if self._store.get(self._kind.kind, name) is not None:
            raise self._kind.name_in_use(self.arn(name))

    def start(
        self,
        job: Document,
        *,
        tags: Sequence[Document],
        check: Callable[[], None],
        run: Callable[[], JobRun],
    ) -> None:
        """Store a job and start its run; `check` runs while no other job of this kind can start.

        Raises:
            ServiceError: what `check` raises, or ``ResourceInUse``.

        """
        name, arn = job[self._kind.name_key], job[self._kind.arn_key]
        with self._lock:
            check()
            if not self._store.add(self._kind.kind, name, job):
                raise self._kind.name_in_use(arn)
            self._store.set_tags(arn, as_dict(list(tags)))
            started = run()
            self._runs = {key: old for key, old in self._runs.items() if old.alive} | {name: started}
        started.start()

    def resume(self, name: str, run: JobRun) -> None:
        """Continue a job of the previous server."""
        with self._lock:
            self._runs[name] = run
        run.start()

    def run(self, name: str) -> JobRun | None:
        """Return the run of a job that has not ended, or ended a moment ago."""
        with self._lock:
            return self._runs.get(name)

    def existing(self, name: str) -> Document:
        """Return the job as it is now.

        Raises:
            ServiceError: there is no job of this name.

        """
        job = self._store.get(self._kind.kind, name)
        if job is None:
            raise self._kind.not_found(name)
        return job

    def listed(self, request: Document, *, summary: Sequence[str]) -> Document:
        """Return one page of the jobs."""
        return page(
            request,
            self._store.all(self._kind.kind),
            answer_key=f"{self._kind.member}Summaries",
            summary=summary,
            name_key=self._kind.name_key,
            status_key=self._kind.status_key,
            default_order=self._kind.listed,
        )

    def stop(self, name: str) -> None:
        """Ask a job to end; a second request for the same job changes nothing.

        Raises:
            ServiceError: there is no such job, or it has ended.

        """

        def stopping(job: Document) -> None:
            status = job[self._kind.status_key]
            if not self._kind.in_progress(job):
                raise validation_error(f"The request was rejected because the {self._kind.noun} is in status {status}.")
            if status != "Stopping":
                self._kind.enter(job, "Stopping", now=time.time())

        if self._store.change(self._kind.kind, name, stopping) is None:
            raise self._kind.not_found(name)
        run = self.run(name)  # a stored job has a run as soon as its creator releases the lock
        if run is not None:
            run.stop()

    def delete(self, name: str) -> None:
        """Delete a job that has ended, and its folder; its name may be used again.

        Raises:
            ServiceError: there is no such job, or it has not ended.

        """
        job = self.existing(name)
        if self._kind.in_progress(job):
            status, noun = job[self._kind.status_key], self._kind.noun
            raise ServiceError("ResourceInUse", f"The {noun} {name} is {status}; it can be deleted when it has ended.")
        self._store.remove(self._kind.kind, name, arn=job[self._kind.arn_key])
        shutil.rmtree(self.folder / name, ignore_errors=True)

    def _last_active_time(self, job: Document) -> float:
        """Return when the job's processes ended at the earliest, because the time without a server is not billed."""
        logs = (self.folder / job[self._kind.name_key]).glob("*.log")
        signs: list[float] = [job["LastModifiedTime"], *(file.stat().st_mtime for file in logs)]
        return max(signs)
