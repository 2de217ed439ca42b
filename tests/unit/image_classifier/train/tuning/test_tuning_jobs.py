"""Checks which attempt at a tuning job is next, how it is started and stopped, and what its end means."""

import pytest

from image_classifier.aws.jobs import owners
from image_classifier.aws.jobs.kinds import TUNING_JOB
from image_classifier.contracts.errors import (
    TrainingError,
    TrainingInputError,
    TrainingServiceError,
    TrainingStoppedError,
)
from image_classifier.train.tuning import tuning_jobs

FIRST_JOB = "image-classifier-cats-01234567-89abcdef"
BEST = "image-classifier-0123456789abcde-002-01234567"
CONFIG = {
    "Strategy": "Random",
    "ResourceLimits": {"MaxNumberOfTrainingJobs": 5, "MaxParallelTrainingJobs": 2},
}
REQUEST = {
    "HyperParameterTuningJobName": "x",
    "HyperParameterTuningJobConfig": CONFIG,
    "TrainingJobDefinition": {
        "AlgorithmSpecification": {"TrainingInputMode": "File"},
        "RoleArn": "arn:aws:iam::123456789012:role/r",
        "OutputDataConfig": {"S3OutputPath": "s3://b/models"},
        "ResourceConfig": {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 50},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    },
    "Tags": [],
}


def plan(jobs, **options):
    where = {"s3": None, "classifier": "cats", "training_job": FIRST_JOB}
    return tuning_jobs.plan_attempt(jobs, REQUEST, **where, **options)


@pytest.fixture
def has_model(monkeypatch):
    """Replace the check for the best model's artifact: it exists while `it` is True."""
    found = {"it": True}
    monkeypatch.setattr(tuning_jobs, "has_artifact", lambda s3, job: found["it"])
    return found


@pytest.fixture
def first(jobs):
    return plan(jobs).job_name


def completed(jobs, name):
    jobs.has(BEST, "Completed")
    return jobs.has_other("tuning", name, "Completed", BestTrainingJob={"TrainingJobName": BEST})


def test_of_a_new_search_the_first_attempt_is_started(jobs):
    assert plan(jobs).action == "start"
    assert plan(jobs).job_name == plan(jobs).job_name


@pytest.mark.parametrize(("status", "action"), [("InProgress", "adopt"), ("Stopping", "await")])
def test_a_job_in_progress_is_not_paid_for_twice(jobs, first, status, action):
    jobs.has_other("tuning", first, status)

    assert (plan(jobs).action, plan(jobs).job_name) == (action, first)


def test_a_completed_job_is_reused_while_its_best_model_exists(jobs, first, has_model):
    completed(jobs, first)

    assert (plan(jobs).action, plan(jobs).job_name) == ("reuse", first)
    has_model["it"] = False
    assert plan(jobs).action == "start"
    assert plan(jobs).job_name != first


def test_a_completed_job_without_a_best_model_is_not_reused(jobs, first, has_model):
    jobs.has_other("tuning", first, "Completed")

    assert plan(jobs).action == "start"


def test_after_a_stop_or_a_failure_of_aws_the_next_attempt_is_started(jobs, first):
    for status, fields in (("Stopped", {}), ("Failed", {"FailureReason": "InternalServerError: We encountered"})):
        jobs.has_other("tuning", first, status, **fields)
        assert plan(jobs).action == "start"
        assert plan(jobs).job_name != first


def test_a_search_whose_training_jobs_failed_is_not_repeated(jobs, first):
    jobs.has_other("tuning", first, "Failed", FailureReason="No training job succeeded after 5 attempts.")

    with pytest.raises(TrainingInputError, match=r"narrow tuning.ranges"):
        plan(jobs)


def test_a_forced_run_gets_a_search_of_its_own_and_adopts_only_that(jobs, first, has_model):
    completed(jobs, first)
    owner = owners.Owner("dag", "run", "task")

    forced = plan(jobs, only_of_run=("dag", "run"))
    assert (forced.action, forced.job_name == first) == ("start", False)
    jobs.has_other("tuning", forced.job_name, tags={tag["Key"]: tag["Value"] for tag in owner.tags()})
    assert plan(jobs, only_of_run=("dag", "run")).action == "adopt"


def test_attempts_end(jobs, monkeypatch):
    monkeypatch.setattr(tuning_jobs, "MOST_ATTEMPTS", 2)
    for _ in range(2):
        jobs.has_other("tuning", plan(jobs).job_name, "Stopped")

    with pytest.raises(TrainingError, match="2 tuning jobs"):
        plan(jobs)


def test_a_job_is_created_once_and_then_adopted(jobs):
    assert tuning_jobs.start_tuning_job(jobs, [REQUEST]) == "started"
    assert tuning_jobs.start_tuning_job(jobs, [REQUEST]) == "adopted"
    assert jobs.calls == [("create_hyper_parameter_tuning_job", "x")]


def test_without_a_quota_the_next_machine_is_tried(jobs, refused):
    jobs.refuses["create_hyper_parameter_tuning_job"] = [refused("ResourceLimitExceeded", "ml.g4dn.xlarge")]

    assert tuning_jobs.start_tuning_job(jobs, [REQUEST, REQUEST]) == "started"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ResourceLimitExceeded", TrainingServiceError),
        ("ValidationException", TrainingInputError),
        ("ThrottlingException", TrainingServiceError),
    ],
)
def test_a_refusal_says_that_nothing_was_created(jobs, refused, code, error):
    jobs.refuses["create_hyper_parameter_tuning_job"] = [refused(code, "no")]

    with pytest.raises(error, match="was not created"):
        tuning_jobs.start_tuning_job(jobs, [REQUEST])


def test_a_job_is_tagged_before_it_is_stopped_and_an_ended_one_is_left(jobs):
    jobs.has_other("tuning", "x")

    assert TUNING_JOB.stop_orphaned(jobs, "x", why="its task is over")
    assert [method for method, _ in jobs.calls] == ["add_tags", "stop_hyper_parameter_tuning_job"]
    assert not TUNING_JOB.stop_orphaned(jobs, "x", why="its task is over")
    assert not TUNING_JOB.stop(jobs, "x")
    assert not TUNING_JOB.stop(jobs, "unknown")


def test_only_the_classifiers_own_jobs_in_progress_are_listed(jobs):
    names = [f"image-classifier-{number}23456789abcdef" for number in range(4)]
    for name, status, owner in zip(names, ("InProgress", "Stopping", "InProgress", "Completed"), "ccdc", strict=True):
        jobs.has_other("tuning", name, status, tags={"image-classifier": "cats" if owner == "c" else "dogs"})
    jobs.has_other("tuning", "image-classifier-mine", tags={"image-classifier": "cats"})

    assert tuning_jobs.list_tuning_jobs_in_progress(jobs, classifier="cats") == names[:2]
    assert tuning_jobs.our_tuning_jobs(jobs, classifier="cats") == [*names[:2], names[3]]


def test_a_job_may_take_as_long_as_its_training_jobs_one_after_another(jobs):
    job = jobs.has_other("tuning", "x", **{name: REQUEST[name] for name in REQUEST if name.endswith(("ig", "ion"))})

    rounds = 3  # of five training jobs, two at once
    assert tuning_jobs.deadline(job) - job["CreationTime"].timestamp() == rounds * (600 + tuning_jobs.MARGIN_S)


@pytest.mark.parametrize(
    ("status", "reason", "error"),
    [
        ("Stopped", "", TrainingStoppedError),
        ("Failed", "No training job succeeded after 5 attempts.", TrainingInputError),
        ("Failed", "InternalServerError: We encountered an internal error.", TrainingServiceError),
        ("DeleteFailed", "", TrainingError),
    ],
)
def test_only_a_completed_job_is_good(jobs, status, reason, error):
    tuning_jobs.check_completed(jobs.has_other("tuning", "y", "Completed"))
    with pytest.raises(error):
        tuning_jobs.check_completed(jobs.has_other("tuning", "x", status, FailureReason=reason))
