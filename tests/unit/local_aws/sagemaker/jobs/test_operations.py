"""Checks what all kinds of jobs share: one run each, states, and an end that is always stored."""

import sqlite3
import threading

import pytest
from tests.waiting import until

from local_aws.faults.counting import Faults
from local_aws.sagemaker.aws import Aws
from local_aws.sagemaker.container import Limits
from local_aws.sagemaker.jobs.failures import INTERRUPTED, JobFailedError
from local_aws.sagemaker.jobs.kinds import JobKind
from local_aws.sagemaker.jobs.operations import Jobs
from local_aws.sagemaker.jobs.run import JobRun
from local_aws.sagemaker.platform import Platform
from local_aws.sagemaker.protocol.errors import ServiceError
from local_aws.sagemaker.store import Store

KIND = JobKind("sorting-job", "SortingJob", "Sorting")


@pytest.fixture
def platform(tmp_path):
    store = Store(tmp_path / "state.sqlite")
    yield Platform(Aws("http://127.0.0.1:1"), store, None, Limits(), Faults(), tmp_path)
    store.close()


@pytest.fixture
def jobs(platform):
    return Jobs(KIND, platform=platform)


class Run(JobRun):
    """Does what the test says."""

    def __init__(self, job, store, work):
        super().__init__(job, kind=KIND, store=store)
        self.work = work
        self.cleaned = self.killed = False

    def _work(self):
        self.work(self)

    def wait_until_stopped(self):
        self._wait(60)

    def _kill(self):
        self.killed = True

    def _clean_up(self):
        self.cleaned = True


def new_job(name="a", *, status="InProgress", modified=1.0):
    job = {"SortingJobName": name, "SortingJobArn": f"arn/{name}", "CreationTime": 1.0}
    KIND.enter(job, status, now=modified)
    return job


def start(jobs, platform, *, work, name="a", check=lambda: None):
    job = new_job(name)
    run = Run(job, platform.store, work)
    jobs.start(job, tags=[{"Key": "k", "Value": "v"}], check=check, run=lambda: run)
    return run


def fail(_):
    raise JobFailedError("ClientError: It broke")


def test_a_job_runs_to_its_end(jobs, platform):
    run = start(jobs, platform, work=lambda _: None)
    until(lambda: not run.alive)

    job = jobs.existing("a")
    assert job["SortingJobStatus"] == "Completed"
    assert job["SortingEndTime"] == job["LastModifiedTime"]
    assert (run.cleaned, run.alive, jobs.in_progress()) == (True, False, [])
    assert platform.store.tags("arn/a") == {"k": "v"}


def test_a_failed_job_says_why(jobs, platform):
    run = start(jobs, platform, work=fail)
    until(lambda: not run.alive)

    assert (jobs.existing("a")["SortingJobStatus"], jobs.existing("a")["FailureReason"]) == (
        "Failed",
        "ClientError: It broke",
    )


def test_a_stopped_job_is_stopping_and_then_stopped(jobs, platform):
    run = start(jobs, platform, work=Run.wait_until_stopped)
    jobs.stop("a")
    until(lambda: not run.alive)

    assert jobs.existing("a")["SortingJobStatus"] == "Stopped"
    with pytest.raises(ServiceError, match="because the sorting job is in status Stopped"):
        jobs.stop("a")


def test_a_job_that_was_asked_to_stop_twice_is_stopped_once(jobs, platform):
    platform.store.add(KIND.kind, "a", new_job(status="Stopping", modified=5.0))

    jobs.stop("a")

    assert jobs.existing("a")["LastModifiedTime"] == 5.0


def test_a_job_of_a_server_that_ends_is_lost(jobs, platform):
    run = start(jobs, platform, work=Run.wait_until_stopped)

    jobs.close()

    assert run.killed
    assert jobs.existing("a")["FailureReason"] == INTERRUPTED


def test_jobs_of_the_previous_server_end_at_their_last_change(jobs, platform):
    platform.store.add(KIND.kind, "ran", new_job("ran", modified=7.0))
    platform.store.add(KIND.kind, "stopping", new_job("stopping", status="Stopping"))
    platform.store.add(KIND.kind, "done", new_job("done", status="Completed"))

    assert [job["SortingJobName"] for job in jobs.lose_all()] == ["ran", "stopping"]

    assert (jobs.existing("ran")["FailureReason"], jobs.existing("ran")["SortingEndTime"]) == (INTERRUPTED, 7.0)
    assert jobs.existing("stopping")["SortingJobStatus"] == "Stopped"
    assert jobs.existing("done")["SortingJobStatus"] == "Completed"


def test_of_two_jobs_of_one_name_one_runs(jobs, platform):
    start(jobs, platform, work=lambda _: None)

    for refused in (lambda: jobs.check_new("a"), lambda: start(jobs, platform, work=fail)):
        with pytest.raises(ServiceError, match="a job with this name already exists") as caught:
            refused()
        assert caught.value.code == "ResourceInUse"


def test_a_job_that_is_refused_is_not_stored(jobs, platform):
    def check():
        raise ServiceError("ResourceLimitExceeded", "too many")

    with pytest.raises(ServiceError, match="too many"):
        start(jobs, platform, work=fail, check=check)

    jobs.check_new("a")
    with pytest.raises(ServiceError, match="Could not find requested job with name: a"):
        jobs.existing("a")


def test_the_end_is_stored_when_the_disk_has_space_again(jobs, platform, monkeypatch):
    monkeypatch.setattr("local_aws.sagemaker.jobs.run.WRITE_AGAIN_S", 0)
    change, refusals, begin = platform.store.change, iter([1, 2]), threading.Event()

    def refuse_twice(*arguments):
        if begin.is_set() and next(refusals, None):
            raise sqlite3.OperationalError("disk full")
        return change(*arguments)

    monkeypatch.setattr(platform.store, "change", refuse_twice)
    run = start(jobs, platform, work=lambda _: begin.set())
    until(lambda: not run.alive)

    assert next(refusals, None) is None
    assert jobs.existing("a")["SortingJobStatus"] == "Completed"
