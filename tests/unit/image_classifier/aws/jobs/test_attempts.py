"""Checks that a request is paid for once, and which failures are final and which allow another attempt."""

import pytest

from image_classifier.aws.jobs.owners import Owner
from image_classifier.contracts.errors import PreparationError, PreparationInputError, PreparationStoppedError
from image_classifier.prepare.processing.jobs import PROCESSING_JOBS

CLUSTER = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 30}
REQUEST = PROCESSING_JOBS.request(
    {
        "ProcessingResources": {"ClusterConfig": CLUSTER},
        "AppSpecification": {"ImageUri": "image"},
        "RoleArn": "arn:aws:iam::123456789012:role/preparation",
    },
    classifier="cats",
    tags=[],
)
NAME = REQUEST["ProcessingJobName"]
RUN, OTHER_RUN = ("dag", "run"), ("dag", "another")
FAILED = {"FailureReason": "AlgorithmError: See job logs for more information"}


def has(jobs, status, *, run=RUN, **values):
    tags = {tag["Key"]: tag["Value"] for tag in Owner(*run, "prepare").tags()}
    cluster = {"ProcessingResources": {"ClusterConfig": CLUSTER}}
    return jobs.has_other("processing", NAME, status, tags=tags, **cluster, **values)


def attempt(jobs, **arguments):
    return PROCESSING_JOBS.plan_attempt(jobs, REQUEST, classifier="cats", **arguments)


def test_a_completed_job_counts_while_what_it_wrote_is_there(jobs):
    has(jobs, "Completed")

    assert attempt(jobs, has_results=lambda: True).action == "reuse"
    again = attempt(jobs, has_results=lambda: False)
    assert (again.action, again.job_name == NAME) == ("start", False)


def test_a_job_that_failed_is_not_repeated_by_the_run_that_started_it(jobs):
    has(jobs, "Failed", **FAILED)

    with pytest.raises(PreparationInputError, match="would fail, and cost, again"):
        attempt(jobs, of_run=RUN)


def test_another_run_repeats_it_because_a_right_may_have_been_missing(jobs):
    has(jobs, "Failed", **FAILED)

    assert attempt(jobs, of_run=OTHER_RUN).action == "start"


def test_where_the_request_alone_decides_no_run_repeats_it(jobs):
    has(jobs, "Failed", **FAILED)

    with pytest.raises(PreparationInputError):
        attempt(jobs)


def test_a_program_that_says_storage_error_is_run_again(jobs):
    has(jobs, "Failed", ExitMessage="StorageError: S3 is too busy. ", **FAILED)

    assert attempt(jobs, of_run=RUN).action == "start"


@pytest.mark.parametrize(
    ("status", "values", "error"),
    [
        ("Stopped", {}, PreparationStoppedError),
        ("Failed", FAILED, PreparationInputError),
        ("Failed", {"FailureReason": "CapacityError: none free"}, PreparationError),
    ],
)
def test_an_end_without_results_says_what_another_job_costs(jobs, status, values, error):
    with pytest.raises(error, match="cost") as raised:
        PROCESSING_JOBS.check_completed(has(jobs, status, **values))

    assert type(raised.value) is error


def test_the_error_has_what_the_program_wrote(jobs):
    job = has(jobs, "Failed", ExitMessage="DatasetError: S3 refuses to read it.", **FAILED)

    with pytest.raises(PreparationInputError, match="S3 refuses to read it") as raised:
        PROCESSING_JOBS.check_completed(job)
    assert "/aws/sagemaker/ProcessingJobs" in str(raised.value)


def test_several_instances_are_counted_in_the_price_of_another_job(jobs):
    with pytest.raises(PreparationStoppedError, match=r"2 x ml\.m5\.xlarge"):
        PROCESSING_JOBS.check_completed(has(jobs, "Stopped"))
