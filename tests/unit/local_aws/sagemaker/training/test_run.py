"""Checks the FailureReason of jobs that fail because of this machine or the services around it."""

import errno
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError
from tests.waiting import until

from local_aws.faults.counting import Faults
from local_aws.sagemaker.container import Limits
from local_aws.sagemaker.images import Image
from local_aws.sagemaker.jobs.downloads import DataError
from local_aws.sagemaker.platform import Platform
from local_aws.sagemaker.store import Store
from local_aws.sagemaker.training import requests
from local_aws.sagemaker.training.faults import TrainingFaults
from local_aws.sagemaker.training.progress import TRAINING_JOB
from local_aws.sagemaker.training.run import TrainingRun


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "state.sqlite")
    yield store
    store.close()


def end_of_job(store, tmp_path, trouble):
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://b/train/"}
    request = {
        "TrainingJobName": "a",
        "AlgorithmSpecification": {"TrainingImage": "i", "TrainingInputMode": "File"},
        "ResourceConfig": {"InstanceType": "ml.g4dn.xlarge"},
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
    }
    job = requests.new_job(request, arn="arn", now=1.0)
    store.add(TRAINING_JOB.kind, "a", job)

    def download(*_, **__):
        raise trouble

    cache = SimpleNamespace(of_job=lambda aws, *, cancelled: SimpleNamespace(download=download))
    aws = SimpleNamespace(endpoint_url="http://127.0.0.1:1")
    image = Image("i", ("true",), built_in=False)
    platform = Platform(aws=aws, store=store, images=None, limits=Limits(), faults=Faults(), state=tmp_path)
    faults = TrainingFaults(platform.faults, job)
    run = TrainingRun(job, image=image, folder=tmp_path / "a", platform=platform, cache=cache, faults=faults)
    run.start()
    until(lambda: not run.alive)
    return store.get(TRAINING_JOB.kind, "a")


def test_a_full_disk_ends_the_job_with_what_to_do(store, tmp_path):
    job = end_of_job(store, tmp_path, OSError(errno.ENOSPC, "No space left on device"))

    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == (
        "ClientError: No space left on this machine's disk ([Errno 28] No space left on device). "
        "Free some space, then start the job again."
    )


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (
            DataError("ClientError: Data download failed:No S3 objects"),
            "ClientError: Data download failed:No S3 objects",
        ),
        (
            ClientError({"Error": {"Code": "NoSuchBucket"}}, "ListObjectsV2"),
            "ClientError: An error occurred (NoSuchBucket)",
        ),
        (OSError("network is down"), "InternalServerError: OSError: network is down"),
    ],
)
def test_whose_fault_it_was_decides_whether_a_retry_may_help(store, tmp_path, trouble, reason):
    assert end_of_job(store, tmp_path, trouble)["FailureReason"].startswith(reason)


def test_the_files_of_an_ended_job_are_removed(store, tmp_path):
    end_of_job(store, tmp_path, DataError("x"))

    assert not (tmp_path / "a" / "ml").exists()


def test_a_bug_never_passes_for_success(store, tmp_path, monkeypatch):
    monkeypatch.setattr("threading.excepthook", lambda _: None)

    job = end_of_job(store, tmp_path, KeyError("a bug"))

    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("InternalServerError: The local SageMaker failed unexpectedly")
