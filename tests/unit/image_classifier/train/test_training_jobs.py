"""Checks that a job starts on the first available instance type, is stopped on request, and has a full result."""

import pytest
from botocore.exceptions import ClientError

from image_classifier.aws.jobs.kinds import TRAINING_JOB
from image_classifier.contracts import errors
from image_classifier.train import training_jobs
from image_classifier.train.training_jobs import MARGIN_S

REQUEST = {
    "TrainingJobName": "job",
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
    "RoleArn": "arn:aws:iam::123456789012:role/sagemaker",
    "OutputDataConfig": {"S3OutputPath": "s3://b/models"},
    "ResourceConfig": {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 50},
    "StoppingCondition": {"MaxRuntimeInSeconds": 600},
}
OTHER = {**REQUEST, "ResourceConfig": {**REQUEST["ResourceConfig"], "InstanceType": "ml.g5.xlarge"}}


@pytest.fixture
def no_quota(jobs, refused):
    """No quota for machines of these types."""

    def for_types(*instance_types):
        def refuse(request):
            if request["ResourceConfig"]["InstanceType"] in instance_types:
                raise refused("ResourceLimitExceeded", "The limit is 0 Instances.")

        jobs.refuses["create_training_job"] = refuse

    return for_types


def test_a_job_is_started_with_the_first_request(jobs):
    assert training_jobs.start_training_job(jobs, [REQUEST, OTHER]) == "started"
    assert jobs.jobs["job"]["ResourceConfig"]["InstanceType"] == "ml.g4dn.xlarge"
    assert jobs.created == ["job"]


def test_a_job_that_another_try_created_meanwhile_is_adopted(jobs):
    jobs.has("job")

    assert training_jobs.start_training_job(jobs, [REQUEST, OTHER]) == "adopted"
    assert jobs.created == []


def test_without_a_quota_for_the_first_machine_the_next_is_asked_for(jobs, no_quota, caplog):
    no_quota("ml.g4dn.xlarge")

    assert training_jobs.start_training_job(jobs, [REQUEST, OTHER]) == "started"
    assert jobs.jobs["job"]["ResourceConfig"]["InstanceType"] == "ml.g5.xlarge"
    told = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert told == ["Training job job: no quota for 2 x ml.g4dn.xlarge"]


def test_without_any_quota_it_may_be_tried_later(jobs, no_quota):
    no_quota("ml.g4dn.xlarge", "ml.g5.xlarge")

    with pytest.raises(errors.TrainingServiceError, match=r"job was not created\. The limit is 0 .*higher quota"):
        training_jobs.start_training_job(jobs, [REQUEST, OTHER])


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("ValidationException", 400, errors.TrainingInputError),
        ("ThrottlingException", 400, errors.TrainingServiceError),
        ("InternalFailure", 500, errors.TrainingServiceError),
        ("AccessDeniedException", 400, ClientError),
    ],
)
def test_a_refused_request_says_whether_a_retry_may_help(jobs, refused, code, status, error):
    jobs.refuses["create_training_job"] = [refused(code, "the reason", status)]

    with pytest.raises(error, match="the reason"):
        training_jobs.start_training_job(jobs, [REQUEST, OTHER])
    assert jobs.created == []


def test_a_job_is_stopped(jobs):
    jobs.has("job")

    assert TRAINING_JOB.stop(jobs, "job") is True
    assert jobs.calls == [("stop_training_job", "job")]


def test_stopping_what_has_ended_or_never_was_is_no_error(jobs):
    jobs.has("job", "Completed")

    assert TRAINING_JOB.stop(jobs, "job") is False
    assert TRAINING_JOB.stop(jobs, "never") is False


def test_only_this_classifiers_jobs_in_progress_are_listed(jobs):
    ours, anothers = "image-classifier-cat-01234567-89abcdef", "image-classifier-cat-breeds-01234567-89abcdef"
    jobs.has(anothers)
    jobs.has(f"{ours}-2", "Stopping")
    jobs.has(f"{ours}-123")
    jobs.has(ours, "Completed")

    assert training_jobs.list_training_jobs_in_progress(jobs, classifier="cat") == [f"{ours}-123", f"{ours}-2"]


def test_the_deadline_covers_the_wait_for_spot_and_the_machines_start(jobs):
    job = jobs.has("job")
    created = job["CreationTime"].timestamp()
    spot = {**job, "StoppingCondition": {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 900}}

    assert training_jobs.deadline(job) == created + 600 + MARGIN_S
    assert training_jobs.deadline(spot) == created + 900 + MARGIN_S


def test_the_result_counts_every_machines_seconds(jobs):
    done = jobs.has(
        "job-2",
        "Completed",
        BillableTimeInSeconds=100,
        TrainingTimeInSeconds=120,
        ResourceConfig=REQUEST["ResourceConfig"],
    )

    assert training_jobs.training_result(done, outcome="reused", attempt=2, best=0.9) == {
        "training_job": "job-2",
        "model_artifact": "s3://b/models/job-2/output/model.tar.gz",
        "image": "image",
        "outcome": "reused",
        "ended": "completed",
        "attempt": 2,
        "best_validation_accuracy": 0.9,
        "instance_type": "ml.g4dn.xlarge",
        "instance_count": 2,
        "spot": False,
        "billable_s": 200,
        "seconds": 120,
        "spot_savings": None,
    }


def test_what_managed_spot_saved_is_the_part_that_was_not_billed(jobs):
    done = jobs.has(
        "job", "Completed", BillableTimeInSeconds=37, TrainingTimeInSeconds=100, EnableManagedSpotTraining=True
    )

    assert training_jobs.training_result(done, outcome="started", attempt=1, best=None)["spot_savings"] == 0.63


def test_a_machine_is_named_with_its_number_and_its_price(jobs):
    assert training_jobs.machine_of(REQUEST) == "2 x ml.g4dn.xlarge"
    assert training_jobs.machine_of({**jobs.has("job"), "EnableManagedSpotTraining": True}) == "ml.g4dn.xlarge (spot)"
