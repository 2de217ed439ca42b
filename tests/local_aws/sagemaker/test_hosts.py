"""Checks training jobs of several instances: a process for each, and one model."""

import io
import json
import tarfile
from pathlib import Path

import pytest


@pytest.fixture
def hosts_request(job_request):
    """A request for two instances."""

    def build(name, *, count=2, **hyperparameters):
        resources = {"InstanceType": "ml.p3.2xlarge", "InstanceCount": count, "VolumeSizeInGB": 10}
        given = {"behaviour": "hosts", **hyperparameters}
        return job_request(name, hyperparameters=given, ResourceConfig=resources)

    return build


def test_every_host_trains_in_its_own_folder_and_the_models_become_one(server, s3, name, hosts_request):
    server.sagemaker.create_training_job(**hosts_request(name))

    job = server.ended_job(name)
    assert (job["TrainingJobStatus"], job.get("FailureReason")) == ("Completed", None)
    assert job["BillableTimeInSeconds"] == job["TrainingTimeInSeconds"]
    body = s3.get_object(Bucket="images", Key=f"models/{name}/output/model.tar.gz")["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as artifact:
        found = [json.load(artifact.extractfile(f"{host}.json")) for host in ("algo-1", "algo-2")]
    assert [host["current_host"] for host in found] == ["algo-1", "algo-2"]
    assert [host["hosts"] for host in found] == [["algo-1", "algo-2"]] * 2
    variables = [host["environment"] for host in found]
    assert len({environment["SAGEMAKER_BASE_DIR"] for environment in variables}) == 2
    assert len({environment["SAGEMAKER_LOCAL_HOSTS_FOLDER"] for environment in variables}) == 1


def test_every_host_has_a_log_stream_of_its_own(server, name, hosts_request, log_lines):
    server.sagemaker.create_training_job(**hosts_request(name))
    server.ended_job(name)

    for host in ("algo-1", "algo-2"):
        lines = log_lines("/aws/sagemaker/TrainingJobs", f"{name}/{host}-")
        assert lines[0] == "files train/cat/1.jpg train/cat/2.jpg train/dog/1.jpg"


@pytest.mark.parametrize("host", ["algo-1", "algo-2"])
def test_a_host_that_fails_ends_the_others_and_says_why_the_job_failed(server, name, hosts_request, host):
    server.sagemaker.create_training_job(**hosts_request(name, fails=host))

    job = server.ended_job(name)

    assert (job["TrainingJobStatus"], job["FailureReason"]) == ("Failed", f"AlgorithmError: {host} broke, exit code: 2")
    assert not (Path(server.state) / "training-jobs" / name / "ml").exists()


def test_a_sharded_channel_is_divided_among_the_hosts(server, name, hosts_request, log_lines):
    request = hosts_request(name)
    request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "ShardedByS3Key"
    server.sagemaker.create_training_job(**request)
    server.ended_job(name)

    found = [log_lines("/aws/sagemaker/TrainingJobs", f"{name}/{host}-")[0] for host in ("algo-1", "algo-2")]
    assert found == ["files train/cat/1.jpg train/dog/1.jpg", "files train/cat/2.jpg"]


def test_every_instance_counts_towards_the_quota(server, name, hosts_request, refusal):
    code, message = refusal(server.sagemaker.create_training_job, **hosts_request(name, count=5))

    assert code == "ResourceLimitExceeded"
    assert "is 4 Instances, with current utilization of 0 Instances and a request delta of 5 Instances." in message


def test_a_single_instance_does_not_get_the_names_of_others(server, s3, name, hosts_request):
    server.sagemaker.create_training_job(**hosts_request(name, count=1))
    server.ended_job(name)

    body = s3.get_object(Bucket="images", Key=f"models/{name}/output/model.tar.gz")["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as artifact:
        assert "SAGEMAKER_LOCAL_HOSTS_FOLDER" not in json.load(artifact.extractfile("algo-1.json"))["environment"]
