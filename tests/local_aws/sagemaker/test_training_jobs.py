"""Checks training jobs through boto3: real processes, AWS's states and AWS's refusals."""

import io
import json
import tarfile

import pytest


def test_a_job_trains_and_leaves_its_artifact_metrics_and_states(server, s3, name, job_request, with_metrics):
    server.sagemaker.create_training_job(**with_metrics(job_request(name, hyperparameters={"epochs": "2"})))

    job = server.ended_job(name)

    assert (job["TrainingJobStatus"], job.get("FailureReason")) == ("Completed", None)
    states = [transition["Status"] for transition in job["SecondaryStatusTransitions"]]
    assert states == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]} == {
        "train:accuracy": 0.75,
        "validation:accuracy": 0.5,
    }
    assert job["BillableTimeInSeconds"] == job["TrainingTimeInSeconds"] >= 1
    uri = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert uri == f"s3://images/models/{name}/output/model.tar.gz"
    body = s3.get_object(Bucket="images", Key=f"models/{name}/output/model.tar.gz")["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as artifact:
        assert json.load(artifact.extractfile("model.json")) == {"epochs": "2"}


def test_the_log_is_in_cloudwatch_when_the_job_has_ended(server, name, job_request, job_log):
    server.sagemaker.create_training_job(**job_request(name))
    server.ended_job(name)

    lines = job_log(name)
    assert lines[0] == "files train/cat/1.jpg train/cat/2.jpg train/dog/1.jpg"
    assert lines[-1].endswith("Epoch[1] Validation-accuracy=0.5")


def test_a_running_job_shows_its_log_and_state(server, name, job_request, job_log, until):
    server.sagemaker.create_training_job(**job_request(name, hyperparameters={"behaviour": "save"}))

    lines = until(lambda: job_log(name))

    job = server.job(name)
    assert "waiting" in until(lambda: "waiting" in (found := job_log(name)) and found), lines
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("InProgress", "Training")
    server.sagemaker.stop_training_job(TrainingJobName=name)
    server.ended_job(name)


def test_a_stopped_job_keeps_what_it_saved(server, s3, name, job_request, job_log, refusal, until):
    server.sagemaker.create_training_job(**job_request(name, hyperparameters={"behaviour": "save"}))
    until(lambda: "waiting" in job_log(name))

    server.sagemaker.stop_training_job(TrainingJobName=name)
    job = server.ended_job(name)

    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert [transition["Status"] for transition in job["SecondaryStatusTransitions"]][-2:] == ["Stopping", "Stopped"]
    assert s3.head_object(Bucket="images", Key=f"models/{name}/output/model.tar.gz")["ContentLength"] > 0
    code, message = refusal(server.sagemaker.stop_training_job, TrainingJobName=name)
    assert code == "ValidationException"
    assert message == "The request was rejected because the training job is in status Stopped."


def test_a_job_that_ignores_sigterm_is_killed_after_the_grace(server, name, job_request, job_log, until):
    server.sagemaker.create_training_job(**job_request(name, hyperparameters={"behaviour": "stubborn"}))
    until(lambda: "waiting" in job_log(name))

    server.sagemaker.stop_training_job(TrainingJobName=name)
    job = server.ended_job(name)

    assert job["TrainingJobStatus"] == "Stopped"
    assert "ModelArtifacts" not in job


def test_a_job_over_its_time_is_stopped_and_its_artifact_kept(server, s3, name, job_request):
    limit = {"MaxRuntimeInSeconds": 4}  # enough for the program to be ready for its end on a busy machine
    request = job_request(name, hyperparameters={"behaviour": "save"}, StoppingCondition=limit)
    server.sagemaker.create_training_job(**request)

    job = server.ended_job(name)

    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert job["ModelArtifacts"]["S3ModelArtifacts"].endswith(f"{name}/output/model.tar.gz")


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("it broke", "AlgorithmError: it broke, exit code: 2"),
        ("ClientError: Empty .lst file", "ClientError: Empty .lst file, exit code: 2"),
    ],
)
def test_the_reason_of_a_failed_job_is_what_the_program_wrote(server, name, job_request, written, reason):
    server.sagemaker.create_training_job(**job_request(name, hyperparameters={"behaviour": "fail", "failure": written}))

    job = server.ended_job(name)

    assert (job["TrainingJobStatus"], job["FailureReason"]) == ("Failed", reason)


def test_the_built_in_algorithm_needs_a_gpu_instance(server, name, job_request):
    image = "811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"
    request = job_request(
        name,
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        ResourceConfig={"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10},
    )
    server.sagemaker.create_training_job(**request)

    assert server.ended_job(name)["FailureReason"] == (
        "ClientError: Instance type ml.m5.xlarge is not supported by algorithm image-classification; "
        "only GPU instances are supported."
    )


def test_checkpoints_of_one_job_are_there_for_the_next(server, s3, name, job_request):
    config = {"S3Uri": f"s3://images/checkpoints/{name}/"}
    for number in (1, 2):
        server.sagemaker.create_training_job(**job_request(f"{name}-{number}", CheckpointConfig=config))
        assert server.ended_job(f"{name}-{number}")["TrainingJobStatus"] == "Completed"

    assert s3.get_object(Bucket="images", Key=f"checkpoints/{name}/state.txt")["Body"].read() == b"xx"


def test_a_second_job_of_the_same_name_is_refused(server, name, job_request, refusal):
    server.sagemaker.create_training_job(**job_request(name))

    code, message = refusal(server.sagemaker.create_training_job, **job_request(name))

    assert code == "ResourceInUse"
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:training-job/{name}"
    assert message.endswith(f"a training job with this name already exists ({arn})")
    server.ended_job(name)
    server.sagemaker.delete_training_job(TrainingJobName=name)
    assert refusal(server.job, name=name) == ("ValidationException", "Requested resource not found.")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"RoleArn": "arn:aws:iam::000000000000:role/absent"},
            "Could not assume role arn:aws:iam::000000000000:role/absent.",
        ),
        ({"AlgorithmSpecification": {"TrainingImage": "1/x", "TrainingInputMode": "File"}}, "Invalid image URI 1/x."),
        ({"OutputDataConfig": {"S3OutputPath": "s3://no-such-bucket/x"}}, "The bucket no-such-bucket of"),
        (
            {"ResourceConfig": {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 0, "VolumeSizeInGB": 1}},
            "A training job needs an instance; found InstanceCount 0.",
        ),
        (
            {"ResourceConfig": {"InstanceType": "ml.huge", "InstanceCount": 1, "VolumeSizeInGB": 1}},
            "1 validation error detected: Value 'ml.huge' at 'resourceConfig.instanceType' failed to satisfy "
            "constraint: Member must satisfy enum value set: [",
        ),
        (
            {"TrainingJobName": "under_score"},
            "1 validation error detected: Value 'under_score' at 'trainingJobName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        ),
    ],
)
def test_a_request_that_aws_would_refuse_is_refused_at_once(server, name, job_request, change, sentence, refusal):
    code, message = refusal(server.sagemaker.create_training_job, **(job_request(name) | change))

    assert code == "ValidationException"
    assert message.startswith(sentence)


def test_an_empty_prefix_is_refused_at_once(server, name, job_request, refusal):
    request = job_request(name)
    request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = "s3://images/nothing/"

    code, message = refusal(server.sagemaker.create_training_job, **request)

    assert code == "ValidationException"
    assert message.startswith('No S3 objects found under S3 URL "s3://images/nothing/" given in input data source.')


def test_pages_hold_every_job_once(server, name, job_request):
    names = {f"{name}-{number}" for number in range(3)}
    for job_name in sorted(names):
        server.sagemaker.create_training_job(**job_request(job_name))
        server.ended_job(job_name)

    pages = list(
        server.sagemaker.get_paginator("list_training_jobs").paginate(
            NameContains=name, StatusEquals="Completed", PaginationConfig={"PageSize": 2}
        )
    )

    assert [len(page["TrainingJobSummaries"]) for page in pages] == [2, 1]
    found = [summary["TrainingJobName"] for page in pages for summary in page["TrainingJobSummaries"]]
    assert found == sorted(names)


def test_an_operation_that_is_missing_is_named(server, refusal):
    code, message = refusal(server.sagemaker.list_auto_ml_jobs)

    assert code == "UnknownOperationException"
    assert message.startswith("ListAutoMLJobs exists on AWS but is not implemented by this local SageMaker.")
    assert "CreateTrainingJob" in message


def test_tags_belong_to_a_job(server, name, job_request):
    server.sagemaker.create_training_job(**job_request(name, Tags=[{"Key": "image-classifier", "Value": "digits"}]))
    arn = server.job(name)["TrainingJobArn"]
    server.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])
    server.sagemaker.delete_tags(ResourceArn=arn, TagKeys=["image-classifier"])

    assert server.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    server.ended_job(name)


def test_the_servers_log_names_every_call_that_would_change_something(server, name, job_request, refusal):
    server.sagemaker.create_training_job(**job_request(name))
    refusal(server.sagemaker.create_training_job, **job_request(name))
    server.sagemaker.describe_training_job(TrainingJobName=name)

    log = (server.state / "server.log").read_text()

    assert log.count(f"CreateTrainingJob accepted: {name}\n") == 1
    assert log.count(f"CreateTrainingJob refused: {name}: ResourceInUse: ") == 1
    assert "DescribeTrainingJob accepted" not in log
