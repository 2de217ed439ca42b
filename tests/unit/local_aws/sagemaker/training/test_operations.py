"""Checks the state of a job after its server was killed."""

import os

import pytest

from local_aws.faults.counting import Faults
from local_aws.sagemaker.container import Limits
from local_aws.sagemaker.jobs.failures import INTERRUPTED
from local_aws.sagemaker.platform import Platform
from local_aws.sagemaker.store import Store
from local_aws.sagemaker.training import progress
from local_aws.sagemaker.training.operations import TrainingJobs
from local_aws.sagemaker.training.progress import TRAINING_JOB


@pytest.fixture
def recovered(tmp_path):
    """The job that a new server finds: on a machine from 100, its last line of log at 150."""
    store = Store(tmp_path / "state.sqlite")
    job = {
        "TrainingJobName": "a",
        "CreationTime": 99.0,
        "StoppingCondition": {"MaxRuntimeInSeconds": 1000},
        "SecondaryStatusTransitions": [],
    }
    progress.start_clock(job, now=100.0)
    progress.enter(job, "Training", now=110.0)
    store.add(TRAINING_JOB.kind, "a", job)
    log_file = tmp_path / "training-jobs" / "a" / "algo-1.log"
    (log_file.parent / "ml").mkdir(parents=True)
    log_file.write_text("Epoch[0]")
    os.utime(log_file, (150.0, 150.0))
    platform = Platform(aws=None, store=store, images=None, limits=Limits(), faults=Faults(), state=tmp_path)
    TrainingJobs(platform, cache=None).recover()
    yield store.get(TRAINING_JOB.kind, "a")
    store.close()


def test_a_job_is_failed_and_bills_no_second_after_its_last_sign_of_life(recovered):
    assert (recovered["TrainingJobStatus"], recovered["FailureReason"]) == ("Failed", INTERRUPTED)
    assert recovered["TrainingEndTime"] == 150.0
    assert recovered["BillableTimeInSeconds"] == 50


def test_its_files_are_gone_and_its_log_is_not(recovered, tmp_path):
    assert [path.name for path in (tmp_path / "training-jobs" / "a").iterdir()] == ["algo-1.log"]
