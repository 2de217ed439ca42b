"""Checks that orphaned jobs are stopped, and no job that a task waits for."""

import pytest

from image_classifier.aws.jobs import owners
from image_classifier.watch import orphaned_jobs

OWNER = owners.Owner("cats_train_and_deploy", "manual__1", "train.train_model")
TAGS = {tag["Key"]: tag["Value"] for tag in OWNER.tags()}
JOB = "image-classifier-cats-01234567-89abcdef"
NAMES = {
    "tuning": "image-classifier-0123456789abcde",
    "transform": "image-classifier-cats-0123456789abcdef",
    "processing": "image-classifier-cats-123456789abcdef0",
}
OUTPUT = {
    "tuning": {"TrainingJobDefinition": {"OutputDataConfig": {"S3OutputPath": "s3://b/cats/models"}}},
    "transform": {"TransformOutput": {"S3OutputPath": "s3://b/cats/evaluations/x/output"}},
    "processing": {"Environment": {"IMAGE_CLASSIFIER_BUCKET": "b"}},
}


def stop(jobs, status):
    asked = []

    def status_of(owner):
        asked.append(owner)
        return status

    return orphaned_jobs.stop_orphaned_jobs(jobs, bucket="b", status_of=status_of), asked


def test_a_job_whose_task_is_over_is_stopped_and_says_why(jobs):
    jobs.has(JOB, tags=TAGS)

    assert stop(jobs, "over") == ([JOB], [OWNER])
    assert jobs.stopped == [JOB]
    assert owners.stopped_as_orphan(jobs.tags_of(JOB))


@pytest.mark.parametrize("kind", list(NAMES))
def test_jobs_of_every_kind_whose_task_is_over_are_stopped_too(jobs, kind):
    jobs.has_other(kind, NAMES[kind], tags=TAGS, **OUTPUT[kind])

    assert stop(jobs, "over") == ([NAMES[kind]], [OWNER])
    assert jobs.calls[-1] == (f"stop_{'hyper_parameter_' if kind == 'tuning' else ''}{kind}_job", NAMES[kind])
    assert owners.stopped_as_orphan(jobs.tags_of(NAMES[kind]))


@pytest.mark.parametrize("kind", list(NAMES))
@pytest.mark.parametrize("values", [{"status": "Stopping"}, {"tags": {}}])
def test_jobs_of_every_kind_that_stop_or_name_no_task_are_left(jobs, kind, values):
    jobs.has_other(kind, NAMES[kind], **{"tags": TAGS, **OUTPUT[kind], **values})

    assert stop(jobs, "over") == ([], [])
    assert jobs.calls == []


@pytest.mark.parametrize("kind", list(NAMES))
def test_a_job_that_writes_to_another_bucket_is_another_deployments(jobs, kind):
    jobs.has_other(kind, NAMES[kind], tags=TAGS, **OUTPUT[kind])

    assert orphaned_jobs.stop_orphaned_jobs(jobs, bucket="a", status_of=lambda _: "over") == []


def test_a_training_job_of_a_tuning_job_is_left_to_it(jobs):
    """It carries the tags of the task that started the tuning job, which another may have adopted."""
    jobs.has(f"{NAMES['tuning']}-001-01234567", tags=TAGS, TuningJobArn="arn")

    assert stop(jobs, "over") == ([], [])


@pytest.mark.parametrize("status", ["wanted", "unknown"])
def test_a_job_that_a_task_here_or_elsewhere_may_wait_for_is_left_alone(jobs, status):
    jobs.has(JOB, tags=TAGS)

    assert stop(jobs, status) == ([], [OWNER])
    assert jobs.calls == []


def test_a_job_that_a_later_run_took_over_is_that_runs(jobs):
    job = jobs.has(JOB, tags=TAGS)
    later = owners.Owner("cats_train_and_deploy", "manual__2", "train.train_model")
    owners.set_owner(jobs, job, owner=later)

    assert stop(jobs, "wanted")[1] == [later]


@pytest.mark.parametrize(
    "values",
    [
        {"status": "Completed"},
        {"status": "Stopping"},
        {"OutputDataConfig": {"S3OutputPath": "s3://another/models"}},
        {"tags": {}},
    ],
)
def test_what_ended_and_what_is_not_ours_is_not_asked_about(jobs, values):
    jobs.has(JOB, **{"tags": TAGS, **values})
    jobs.has(f"my-{JOB}", tags=TAGS)

    assert stop(jobs, "over") == ([], [])
    assert jobs.calls == []
