"""Training jobs as a client sees them: real processes, AWS's states and AWS's refusals."""

import io
import json
import tarfile

import pytest
from botocore.exceptions import ClientError


def refusal(call, **request):
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_job_trains_and_leaves_its_artifact_metrics_and_states(server, s3, name, job_request):
    server.sagemaker.create_training_job(**job_request(name, hyperparameters={"epochs": "2"}))

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


def test_the_log_is_in_cloudwatch_when_the_job_has_ended(server, logs, name, job_request):
    server.sagemaker.create_training_job(**job_request(name))
    server.ended_job(name)

    group = "/aws/sagemaker/TrainingJobs"
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/algo-1-")["logStreams"]
    events = logs.get_log_events(logGroupName=group, logStreamName=streams[0]["logStreamName"], startFromHead=True)["events"]
    lines = [event["message"] for event in events]
    assert lines[0] == "files train/cat/1.jpg train/cat/2.jpg train/dog/1.jpg"
    assert lines[-1].endswith("Epoch[1] Validation-accuracy=0.5")
