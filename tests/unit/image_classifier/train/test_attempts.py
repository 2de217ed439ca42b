"""Checks how earlier attempts decide the next one: nothing is paid for twice, and no attempt is hopeless."""

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from image_classifier.aws.jobs import owners
from image_classifier.aws.names import MOST_ATTEMPTS
from image_classifier.contracts import errors
from image_classifier.train import attempts

REQUEST = {
    "TrainingJobName": "job",
    "CheckpointConfig": {"S3Uri": "s3://b/checkpoints/job/"},
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
    "RoleArn": "arn:aws:iam::123456789012:role/sagemaker",
    "OutputDataConfig": {"S3OutputPath": "s3://b/models"},
    "ResourceConfig": {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 50},
    "StoppingCondition": {"MaxRuntimeInSeconds": 600},
}
RUN = ("dag", "run")
CAPACITY = "CapacityError: Unable to provision requested ML compute capacity."
TIMED_OUT = {"status": "Stopped", "SecondaryStatus": "MaxRuntimeExceeded"}


def on(instance_type, **values):
    return {**REQUEST, "ResourceConfig": {**REQUEST["ResourceConfig"], "InstanceType": instance_type}, **values}


def of(run_id):
    return {tag["Key"]: tag["Value"] for tag in owners.Owner("dag", run_id, "train").tags()}


def due(jobs, **arguments):
    attempt = attempts.plan_attempt(jobs, arguments.pop("request", REQUEST), **arguments)
    assert jobs.calls == []  # asking changes nothing
    return attempt.action, attempt.job_name


def machines(attempt):
    return [request["ResourceConfig"]["InstanceType"] for request in attempt.requests]


def test_a_job_that_never_was_is_started(jobs):
    attempt = attempts.plan_attempt(jobs, REQUEST)

    assert (attempt.action, attempt.requests) == ("start", (REQUEST,))


def test_a_job_that_runs_is_adopted(jobs):
    jobs.has("job", "InProgress")

    assert due(jobs) == ("adopt", "job")


def test_a_later_attempt_that_runs_is_adopted(jobs):
    jobs.has("job", "Failed")
    jobs.has("job-2", "InProgress")

    assert due(jobs) == ("adopt", "job-2")


def test_the_end_of_a_job_that_is_being_stopped_is_awaited(jobs):
    jobs.has("job", "Stopping")

    assert due(jobs) == ("await", "job")


def test_a_completed_job_is_reused(jobs):
    jobs.has("job", "Completed")

    assert due(jobs) == ("reuse", "job")


def test_of_several_models_the_newest_is_taken(jobs):
    jobs.has("job", "Completed")
    jobs.has("job-2", "Completed")
    jobs.has("job-3", "Failed", FailureReason="ClientError: bad")

    assert due(jobs) == ("reuse", "job-2")


def test_a_stopping_forced_job_is_not_waited_for_if_there_is_a_model(jobs):
    jobs.has("job", "Completed")
    jobs.has("job-2", "Stopping")

    assert due(jobs) == ("reuse", "job")


@pytest.mark.parametrize(
    "end",
    [
        {"status": "Failed", "FailureReason": "InternalServerError: ours"},
        {"status": "Failed", "FailureReason": "something new"},
        {"status": "Failed", "FailureReason": "ClientError: AccessDenied on s3://b"},
        {"status": "Stopped", "SecondaryStatus": "Stopped"},
        {"status": "Stopped", "SecondaryStatus": "MaxWaitTimeExceeded"},
    ],
)
def test_after_an_end_that_another_job_may_not_have_comes_the_next_attempt(jobs, end):
    jobs.has("job", "Failed")
    jobs.has("job-2", **end)
    attempt = attempts.plan_attempt(jobs, REQUEST)

    assert (attempt.action, attempt.job_name) == ("start", "job-3")
    assert attempt.because.startswith("job-2 left no model: ")
    assert REQUEST["TrainingJobName"] == "job"


@pytest.mark.parametrize("reason", ["ClientError: bad images", "AlgorithmError: exit code 1"])
def test_input_that_was_refused_is_not_paid_for_again(jobs, reason):
    jobs.has("job", "Failed", FailureReason=reason)

    with pytest.raises(errors.TrainingInputError, match=r"job failed: .*Nothing has changed.*force_retrain"):
        attempts.plan_attempt(jobs, REQUEST)


def test_a_time_limit_that_was_too_short_is_not_paid_for_again(jobs):
    jobs.has("job", **TIMED_OUT)

    with pytest.raises(errors.TrainingStoppedError, match=r"time limit, 600 s.*Raise time_limit_s.*Nothing has chang"):
        attempts.plan_attempt(jobs, REQUEST)


@pytest.mark.parametrize("end", [TIMED_OUT, {"status": "Failed", "FailureReason": "ClientError: out of memory"}])
@pytest.mark.parametrize(
    "changed",
    [
        {"StoppingCondition": {"MaxRuntimeInSeconds": 1200}},
        {"ResourceConfig": {**REQUEST["ResourceConfig"], "InstanceType": "ml.g5.xlarge"}},
        {"ResourceConfig": {**REQUEST["ResourceConfig"], "InstanceCount": 2}},
        {"ResourceConfig": {**REQUEST["ResourceConfig"], "VolumeSizeInGB": 100}},
        {"AlgorithmSpecification": {"TrainingImage": "image:2", "TrainingInputMode": "File"}},
    ],
)
def test_with_other_limits_or_machines_it_is_tried_again(jobs, end, changed):
    jobs.has("job", **end)

    assert due(jobs, request={**REQUEST, **changed}) == ("start", "job-2")


def test_a_job_stopped_by_its_time_limit_has_a_model_if_that_is_accepted(jobs):
    jobs.has("job", **TIMED_OUT)

    assert due(jobs, accept_time_limit=True) == ("reuse", "job")


@pytest.mark.parametrize(("status", "action"), [(200, "reuse"), (404, "start")])
def test_a_model_whose_artifact_is_gone_is_trained_again(jobs, status, action):
    jobs.has("job", "Completed")
    s3 = boto3.client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    with Stubber(s3) as bucket:
        place = {"Bucket": "b", "Key": "models/job/output/model.tar.gz"}
        if status == 404:
            bucket.add_client_error("head_object", "404", "Not Found", 404, expected_params=place)
        else:
            bucket.add_response("head_object", {}, place)

        assert attempts.plan_attempt(jobs, REQUEST, s3=s3).action == action


def test_an_artifact_that_may_not_be_looked_at_is_not_taken_for_gone(jobs):
    jobs.has("job", "Completed")
    s3 = boto3.client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    with Stubber(s3) as bucket:
        bucket.add_client_error("head_object", "403", "Forbidden", 403)
        with pytest.raises(ClientError, match="Forbidden"):
            attempts.plan_attempt(jobs, REQUEST, s3=s3)


@pytest.mark.parametrize("artifacts", [{}, {"ModelArtifacts": {}}], ids=["absent", "empty"])
def test_a_job_that_was_stopped_before_it_had_a_model_left_none(jobs, artifacts):
    jobs.has("job", **TIMED_OUT)
    del jobs.jobs["job"]["ModelArtifacts"]
    jobs.jobs["job"] |= artifacts

    assert attempts.has_model(jobs.jobs["job"], s3=object(), accept_time_limit=True) is False


def test_other_refusals_are_not_taken_for_absence(jobs, refused):
    jobs.refuses["describe_training_job"] = [refused("AccessDeniedException")]

    with pytest.raises(ClientError, match="AccessDenied"):
        attempts.plan_attempt(jobs, REQUEST)


def test_attempts_come_to_an_end(jobs):
    jobs.has("job", "Failed")
    for number in range(2, MOST_ATTEMPTS + 1):
        jobs.has(f"job-{number}", "Failed")

    with pytest.raises(errors.TrainingError, match="999 times"):
        attempts.plan_attempt(jobs, REQUEST)


def test_a_forced_run_gets_the_next_attempt_although_there_is_a_model(jobs):
    jobs.has("job", "Completed", tags=of("another"))

    assert due(jobs, only_of_run=RUN) == ("start", "job-2")


def test_a_forced_run_does_not_take_anothers_job(jobs):
    jobs.has("job", "InProgress")

    assert due(jobs, only_of_run=RUN) == ("start", "job-2")


@pytest.mark.parametrize(("status", "action"), [("InProgress", "adopt"), ("Stopping", "await"), ("Completed", "reuse")])
def test_the_retry_of_a_forced_run_finds_the_runs_own_job(jobs, status, action):
    jobs.has("job", "Completed", tags=of("another"))
    jobs.has("job-2", status, tags=of("run"))
    jobs.has("job-3", "Completed", tags=of("a third"))

    assert due(jobs, only_of_run=RUN) == (action, "job-2")


def test_a_forced_runs_own_failure_is_not_paid_for_again(jobs):
    jobs.has("job", "Completed", tags=of("another"))
    jobs.has("job-2", "Failed", FailureReason="ClientError: bad images", tags=of("run"))

    with pytest.raises(errors.TrainingInputError, match="job-2 failed"):
        attempts.plan_attempt(jobs, REQUEST, only_of_run=RUN)


def test_the_next_ordinary_run_takes_the_forced_runs_model(jobs):
    jobs.has("job", "Completed")
    jobs.has("job-2", "Completed", tags=of("run"))

    assert due(jobs) == ("reuse", "job-2")


def test_a_new_job_is_asked_for_on_every_machine_that_will_do(jobs):
    attempt = attempts.plan_attempt(jobs, REQUEST, alternatives=[on("ml.g5.xlarge"), on("ml.p3.2xlarge")])

    assert machines(attempt) == ["ml.g4dn.xlarge", "ml.g5.xlarge", "ml.p3.2xlarge"]


def test_after_a_want_of_machines_comes_the_next_machine(jobs):
    jobs.has("job", "Failed", FailureReason=CAPACITY)
    attempt = attempts.plan_attempt(jobs, REQUEST, alternatives=[on("ml.g5.xlarge"), on("ml.p3.2xlarge")])

    assert attempt.job_name == "job-2"
    assert machines(attempt) == ["ml.g5.xlarge", "ml.p3.2xlarge"]


def test_when_there_was_no_machine_at_all_it_begins_with_the_first_again(jobs):
    jobs.has("job", "Failed", FailureReason=CAPACITY, ResourceConfig=on("ml.g5.xlarge")["ResourceConfig"])
    attempt = attempts.plan_attempt(jobs, REQUEST, alternatives=[on("ml.g5.xlarge")])

    assert machines(attempt) == ["ml.g4dn.xlarge", "ml.g5.xlarge"]


@pytest.mark.parametrize(
    "end",
    [
        {"status": "Failed", "FailureReason": CAPACITY},
        {"status": "Stopped", "SecondaryStatus": "MaxWaitTimeExceeded"},
    ],
)
def test_spot_without_machines_is_followed_by_the_same_type_on_demand(jobs, end):
    spot = {**REQUEST, "EnableManagedSpotTraining": True}
    on_demand = {**REQUEST, "EnableManagedSpotTraining": False}
    job = jobs.has("job", **end, EnableManagedSpotTraining=True, CheckpointConfig={"S3Uri": "s3://b/checkpoints/job/"})

    assert attempts.machines_left(job, (spot, on_demand)) == (on_demand,)
    assert attempts.plan_attempt(jobs, spot, alternatives=[on_demand]).request["EnableManagedSpotTraining"] is False


def test_no_machine_comes_next_after_another_end(jobs):
    job = jobs.has("job", "Failed", FailureReason="InternalServerError: ours")

    assert attempts.machines_left(job, (REQUEST, on("ml.g5.xlarge"))) == ()


@pytest.mark.parametrize(
    ("end", "place"),
    [
        ({"status": "Failed", "FailureReason": CAPACITY}, "job"),
        ({"status": "Stopped", "SecondaryStatus": "MaxWaitTimeExceeded"}, "job"),
        ({"status": "Failed", "FailureReason": "InternalServerError: ours"}, "job-2"),
        ({"status": "Stopped", "SecondaryStatus": "Stopped"}, "job-2"),
    ],
)
def test_an_attempt_continues_from_checkpoints_after_capacity_or_time_ends(jobs, end, place):
    jobs.has("job", **end, CheckpointConfig={"S3Uri": "s3://b/checkpoints/job/"})
    attempt = attempts.plan_attempt(jobs, REQUEST)

    assert attempt.request["CheckpointConfig"] == {"S3Uri": f"s3://b/checkpoints/{place}/"}
