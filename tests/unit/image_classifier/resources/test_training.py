"""A retry never pays twice, and every end of a job is told for what it is."""

from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import Stubber

from image_classifier import errors
from image_classifier.resources import training

REQUEST = {
    "TrainingJobName": "job",
    "CheckpointConfig": {"S3Uri": "s3://b/checkpoints/job/"},
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
    "RoleArn": "arn:aws:iam::123456789012:role/sagemaker",
    "OutputDataConfig": {"S3OutputPath": "s3://b/models"},
    "ResourceConfig": {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 50},
    "StoppingCondition": {"MaxRuntimeInSeconds": 600},
}


def client(service):
    return boto3.client(service, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")


@pytest.fixture
def sagemaker():
    return client("sagemaker")


@pytest.fixture
def aws(sagemaker):
    """Allows the expected calls and no other, each checked against AWS's own model."""
    with Stubber(sagemaker) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def job(status, name="job", **values):
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    return {
        "TrainingJobName": name,
        "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{name}",
        "ModelArtifacts": {"S3ModelArtifacts": f"s3://b/models/{name}/output/model.tar.gz"},
        "TrainingJobStatus": status,
        "SecondaryStatus": "Training",
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "ResourceConfig": REQUEST["ResourceConfig"],
        "StoppingCondition": REQUEST["StoppingCondition"],
        "CreationTime": moment,
        **values,
    }


def finds(aws, status, name="job"):
    aws.add_response("describe_training_job", job(status, name), {"TrainingJobName": name})


def finds_none(aws, name="job"):
    aws.add_client_error(
        "describe_training_job",
        "ValidationException",
        "Requested resource not found.",
        400,
        expected_params={"TrainingJobName": name},
    )


def test_a_job_that_never_was_is_started(sagemaker, aws):
    finds_none(aws)

    assert training.plan_attempt(sagemaker, REQUEST) == training.Attempt("start", REQUEST)


@pytest.mark.parametrize("status", ["InProgress", "Stopping"])
def test_a_job_under_way_is_adopted(sagemaker, aws, status):
    finds(aws, status)

    assert training.plan_attempt(sagemaker, REQUEST).action == "adopt"


def test_a_completed_job_is_reused(sagemaker, aws):
    finds(aws, "Completed")

    assert training.plan_attempt(sagemaker, REQUEST).action == "reuse"


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_after_a_job_without_a_model_comes_the_next_attempt(sagemaker, aws, status):
    finds(aws, status)
    finds(aws, status, "job-2")
    finds_none(aws, "job-3")
    attempt = training.plan_attempt(sagemaker, REQUEST)

    assert (attempt.action, attempt.job_name) == ("start", "job-3")
    assert attempt.request["CheckpointConfig"]["S3Uri"] == "s3://b/checkpoints/job-3/"
    assert REQUEST["TrainingJobName"] == "job"


def test_a_later_attempt_under_way_is_adopted(sagemaker, aws):
    finds(aws, "Failed")
    finds(aws, "InProgress", "job-2")

    attempt = training.plan_attempt(sagemaker, REQUEST)

    assert (attempt.action, attempt.job_name) == ("adopt", "job-2")


@pytest.mark.parametrize(("status", "action"), [(200, "reuse"), (404, "start")])
def test_a_model_whose_artifact_is_gone_is_trained_again(sagemaker, aws, status, action):
    finds(aws, "Completed")
    s3 = client("s3")
    with Stubber(s3) as bucket:
        place = {"Bucket": "b", "Key": "models/job/output/model.tar.gz"}
        if status == 404:
            bucket.add_client_error("head_object", "404", "Not Found", 404, expected_params=place)
            finds_none(aws, "job-2")
        else:
            bucket.add_response("head_object", {}, place)

        assert training.plan_attempt(sagemaker, REQUEST, s3=s3).action == action


def test_an_artifact_that_may_not_be_looked_at_is_not_taken_for_gone(sagemaker, aws):
    finds(aws, "Completed")
    s3 = client("s3")
    with Stubber(s3) as bucket:
        bucket.add_client_error("head_object", "403", "Forbidden", 403)
        with pytest.raises(Exception, match="Forbidden"):
            training.plan_attempt(sagemaker, REQUEST, s3=s3)


def test_other_refusals_are_not_taken_for_absence(sagemaker, aws):
    aws.add_client_error("describe_training_job", "AccessDeniedException", "no", 400)

    with pytest.raises(Exception, match="AccessDenied"):
        training.plan_attempt(sagemaker, REQUEST)


def test_attempts_come_to_an_end(sagemaker, aws):
    for number in range(1, 100):
        finds(aws, "Failed", "job" if number == 1 else f"job-{number}")

    with pytest.raises(errors.TrainingError, match="99 times; run again with force_retrain"):
        training.plan_attempt(sagemaker, REQUEST)


def test_a_job_is_started_with_the_request(sagemaker, aws):
    aws.add_response("create_training_job", {"TrainingJobArn": job("InProgress")["TrainingJobArn"]}, REQUEST)

    assert training.start_training_job(sagemaker, REQUEST) == "started"


def test_a_job_that_another_try_created_meanwhile_is_adopted(sagemaker, aws):
    aws.add_client_error("create_training_job", "ResourceInUse", "Training job names must be unique", 400)

    assert training.start_training_job(sagemaker, REQUEST) == "adopted"


@pytest.mark.parametrize(
    ("code", "error"),
    [("ResourceLimitExceeded", errors.TrainingServiceError), ("ValidationException", errors.TrainingInputError)],
)
def test_a_refused_request_says_whether_a_retry_may_help(sagemaker, aws, code, error):
    aws.add_client_error("create_training_job", code, "the reason", 400)

    with pytest.raises(error, match=r"job was not created.*the reason"):
        training.start_training_job(sagemaker, REQUEST)


def test_a_job_is_stopped(sagemaker, aws):
    aws.add_response("stop_training_job", {}, {"TrainingJobName": "job"})

    assert training.stop_training_job(sagemaker, "job") is True


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ValidationException", "The request was rejected because the training job is in status Completed."),
        ("ResourceNotFound", "Requested resource not found."),
    ],
)
def test_stopping_what_has_ended_is_no_error(sagemaker, aws, code, message):
    aws.add_client_error("stop_training_job", code, message, 400)

    assert training.stop_training_job(sagemaker, "job") is False


def test_only_this_classifiers_jobs_in_progress_are_listed(sagemaker, aws):
    ours, anothers = "image-classifier-cat-01234567-89abcdef", "image-classifier-cat-breeds-01234567-89abcdef"
    for status, names in (("InProgress", [anothers, ours]), ("Stopping", [f"{ours}-2"])):
        summaries = [
            {
                "TrainingJobName": name,
                "TrainingJobArn": job(status, name)["TrainingJobArn"],
                "CreationTime": job(status)["CreationTime"],
                "TrainingJobStatus": status,
            }
            for name in names
        ]
        aws.add_response(
            "list_training_jobs",
            {"TrainingJobSummaries": summaries},
            {"NameContains": "image-classifier-cat-", "StatusEquals": status},
        )

    assert training.list_training_jobs_in_progress(sagemaker, classifier="cat") == [ours, f"{ours}-2"]


def test_a_completed_job_raises_nothing():
    training.check_completed(job("Completed"))


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("ClientError: bad images", errors.TrainingInputError),
        ("AlgorithmError: exit code 1", errors.TrainingInputError),
        ("InternalServerError: we failed", errors.TrainingServiceError),
        ("CapacityError: no machine", errors.TrainingServiceError),
    ],
)
def test_a_failure_is_told_by_its_kind(reason, error):
    with pytest.raises(error, match=reason):
        training.check_completed(job("Failed", FailureReason=reason))


def test_a_failure_of_no_known_kind_is_neither():
    with pytest.raises(errors.TrainingError) as caught:
        training.check_completed(job("Failed", FailureReason="Something new"))

    assert type(caught.value) is errors.TrainingError


def test_a_stopped_job_is_no_success():
    with pytest.raises(errors.TrainingStoppedError, match="MaxRuntimeExceeded, time limit 600 s"):
        training.check_completed(job("Stopped", SecondaryStatus="MaxRuntimeExceeded"))


def test_the_deadline_covers_the_wait_for_spot_and_the_start_of_the_machines():
    created = job("InProgress")["CreationTime"].timestamp()
    spot = {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 900}

    assert training.deadline(job("InProgress")) == created + 600 + training.MARGIN_S
    assert training.deadline(job("InProgress", StoppingCondition=spot)) == created + 900 + training.MARGIN_S


def test_the_result_counts_every_machines_seconds():
    done = job("Completed", BillableTimeInSeconds=100, TrainingTimeInSeconds=120)

    assert training.training_result(done, outcome="reused", best=0.9) == {
        "training_job": "job",
        "model_artifact": "s3://b/models/job/output/model.tar.gz",
        "image": "image",
        "outcome": "reused",
        "best_validation_accuracy": 0.9,
        "billable_s": 200,
        "seconds": 120,
    }
