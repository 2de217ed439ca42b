"""Checks how faults change a training job and its billable time."""

import json
import math

import pytest

from local_aws.faults.counting import Faults
from local_aws.sagemaker.jobs.failures import INTERRUPTED, JobFailedError
from local_aws.sagemaker.training import progress
from local_aws.sagemaker.training.faults import MachineLostError, TrainingFaults

SPOT = {"EnableManagedSpotTraining": True}


@pytest.fixture
def faults(tmp_path):
    """What a plan has in store for a job."""

    def build(*plan, job=None):
        file = tmp_path / "faults.json"
        file.write_text(json.dumps(plan))
        return TrainingFaults(Faults(file), job or {})

    return build


def test_without_a_plan_nothing_happens(faults):
    job = faults(job=SPOT)

    job.provision()
    job.training_begins(epochs=0)
    job.happen(epochs=1000)
    assert (job.wait_s, job.download_s) == (0, 0)


def test_each_job_meets_the_faults_that_are_left(tmp_path):
    file = tmp_path / "faults.json"
    file.write_text(json.dumps([{"fault": "slow_download", "seconds": 2}, {"fault": "slow_download", "seconds": 3}]))
    faults = Faults(file)

    assert [TrainingFaults(faults, {}).download_s for _ in range(3)] == [2, 3, 0]


def test_only_a_spot_job_waits_for_a_spot_machine(faults):
    plan = {"fault": "no_spot_capacity"}

    assert faults(plan).wait_s == 0
    assert faults(plan, job=SPOT).wait_s == math.inf


def test_a_planned_failure_comes_when_it_is_due(faults):
    later = faults({"fault": "job_fails", "reason": "AlgorithmError: x", "after_s": 600})
    now = faults({"fault": "job_fails", "reason": "AlgorithmError: x"})
    for job in (later, now):
        job.training_begins(epochs=0)

    later.happen(epochs=9)
    with pytest.raises(JobFailedError, match="AlgorithmError: x"):
        now.happen(epochs=0)


def test_a_machine_is_lost_after_so_many_epochs_on_that_machine(faults):
    job = faults({"fault": "interrupt_spot", "after_epochs": 2, "wait_s": 7, "times": 2}, job=SPOT)
    for epochs_before in (0, 2):
        job.training_begins(epochs=epochs_before)
        job.happen(epochs=epochs_before + 1)
        with pytest.raises(MachineLostError) as caught:
            job.happen(epochs=epochs_before + 2)
        assert caught.value.wait_s == 7

    job.training_begins(epochs=4)
    job.happen(epochs=100)


def interrupted_job(*, max_runtime_s=100, max_wait_s=200):
    """Created at 0, on a machine from 10 to 40, on another from 70."""
    job = {
        "CreationTime": 0.0,
        "StoppingCondition": {"MaxRuntimeInSeconds": max_runtime_s, "MaxWaitTimeInSeconds": max_wait_s},
        "SecondaryStatusTransitions": [],
    }
    progress.enter(job, "Starting", now=0.0)
    progress.start_clock(job, now=10.0)
    progress.enter(job, "Downloading", now=10.0)
    progress.enter(job, "Interrupted", now=40.0)
    progress.enter(job, "Starting", now=60.0)
    progress.start_clock(job, now=70.0)
    progress.enter(job, "Downloading", now=70.0)
    return job


def test_the_time_between_two_machines_is_not_billed():
    job = interrupted_job()

    progress.enter(job, "Completed", now=90.0)

    assert (job["TrainingStartTime"], job["TrainingEndTime"]) == (10.0, 90.0)
    assert (job["TrainingTimeInSeconds"], job["BillableTimeInSeconds"]) == (80, 50)


def test_the_runtime_is_the_time_on_machines_and_the_wait_is_all():
    job = interrupted_job(max_runtime_s=60, max_wait_s=120)

    assert progress.time_is_up(job, now=99.0) is None
    assert progress.time_is_up(job, now=100.0) == "MaxRuntimeExceeded"
    job["StoppingCondition"]["MaxRuntimeInSeconds"] = 120
    assert progress.time_is_up(job, now=119.0) is None
    assert progress.time_is_up(job, now=120.0) == "MaxWaitTimeExceeded"


def test_a_job_that_ends_while_it_waits_bills_its_first_machine_alone():
    job = interrupted_job()
    del job["SecondaryStatusTransitions"][3:]

    progress.enter(job, "Stopped", now=90.0)

    assert (job["TrainingTimeInSeconds"], job["BillableTimeInSeconds"]) == (80, 30)


@pytest.mark.parametrize(("max_runtime_s", "status"), [(1000, "Stopped"), (40, "MaxRuntimeExceeded")])
def test_a_job_that_was_to_be_stopped_when_the_server_ended_is_stopped(max_runtime_s, status):
    job = interrupted_job(max_runtime_s=max_runtime_s)
    progress.enter(job, "Stopping", now=85.0)

    progress.lose(job, now=500.0)

    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", status)


def test_a_job_that_ran_when_the_server_ended_is_failed():
    job = interrupted_job()

    progress.lose(job, now=500.0)

    assert (job["TrainingJobStatus"], job["FailureReason"]) == ("Failed", INTERRUPTED)


def test_the_epochs_of_the_log_are_counted():
    metrics = progress.Metrics([])
    metrics.read(["Epoch[0] Validation-accuracy=0.5", "Epoch[1] Train-accuracy=0.9"], now=1.0)
    assert metrics.epochs == 1

    metrics.read(["Epoch[4] Validation-accuracy=0.5", "Epoch[2] Validation-accuracy=nan"], now=2.0)
    assert metrics.epochs == 5
