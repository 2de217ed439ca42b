"""Checks that a job's tags name the task that waits for it, whatever characters its names contain."""

import pytest

from image_classifier.aws.jobs import owners
from image_classifier.aws.jobs.kinds import TRAINING_JOB

REQUEST = {"TrainingJobName": "job", "Tags": [{"Key": "team", "Value": "vision"}]}


@pytest.mark.parametrize("run_id", ["manual__2026-11-23T00:11:23.751037+00:00", "a~b=c%d", "ü und (mehr)"])
def test_the_task_is_read_back_from_tags_that_aws_takes(jobs, run_id):
    owner = owners.Owner("digits_train_and_deploy", run_id, "train.train_model_3")
    job = jobs.has("job")
    owners.set_owner(jobs, job, owner=owner)

    assert owners.owner_of(owners.tags_of(jobs, job)) == owner


def test_a_job_that_no_task_of_ours_started_has_none():
    assert owners.owner_of({"image-classifier": "digits"}) is None


def test_a_new_job_has_its_task_beside_the_tags_it_had():
    tags = owners.with_owner(REQUEST, owners.Owner("d", "r", "t"))["Tags"]

    assert {tag["Key"]: tag["Value"] for tag in tags} == {
        "team": "vision",
        "image-classifier-dag": "d",
        "image-classifier-run": "r",
        "image-classifier-task": "t",
    }


def test_a_job_stopped_because_no_task_waits_says_so(jobs):
    jobs.has("job", "InProgress")

    assert TRAINING_JOB.stop_orphaned(jobs, "job", why="its run (manual) is over; nobody waits") is True
    assert jobs.calls == [("add_tags", "job"), ("stop_training_job", "job")]
    assert owners.stopped_as_orphan(jobs.tags_of("job"))


@pytest.mark.parametrize("status", ["Stopping", "Completed", "Failed"])
def test_a_job_that_does_not_run_is_left_as_it_is(jobs, status):
    jobs.has("job", status)

    assert TRAINING_JOB.stop_orphaned(jobs, "job", why="x") is False
    assert TRAINING_JOB.stop_orphaned(jobs, "never", why="x") is False
    assert jobs.calls == []


def test_a_job_that_may_not_be_tagged_is_stopped_all_the_same(jobs, refused):
    jobs.has("job", "InProgress")
    jobs.refuses["add_tags"] = [refused("AccessDeniedException")]

    assert TRAINING_JOB.stop_orphaned(jobs, "job", why="x") is True
    assert jobs.stopped == ["job"]
