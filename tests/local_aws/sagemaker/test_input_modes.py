"""Checks Pipe and FastFile mode with a real program."""

import io
import json
import tarfile

import pytest

from local_aws.sagemaker.training.recordio import framed


@pytest.fixture
def model_files(s3):
    """The files of a job's model artifact."""

    def read(name):
        body = s3.get_object(Bucket="images", Key=f"models/{name}/output/model.tar.gz")["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(body)) as artifact:
            return {member.name: artifact.extractfile(member).read() for member in artifact if member.isfile()}

    return read


@pytest.fixture
def channel_request(job_request):
    """A request whose train channel differs in the members that are given."""

    def build(name, *, behaviour="complete", source=None, **changes):
        request = job_request(name, hyperparameters={"behaviour": behaviour})
        channel = request["InputDataConfig"][0]
        channel |= changes
        channel["DataSource"]["S3DataSource"] |= source or {}
        return request

    return build


def test_each_epoch_comes_by_a_pipe_and_nothing_is_downloaded_before(
    server, name, channel_request, model_files, job_log
):
    server.sagemaker.create_training_job(**channel_request(name, behaviour="read-pipes", InputMode="Pipe"))

    assert server.ended_job(name)["TrainingJobStatus"] == "Completed"
    files = model_files(name)
    assert files["train_0"] == files["train_1"] == b"cat/1.jpgcat/2.jpgdog/1.jpg"
    assert job_log(name)[0] == "files "


def test_an_augmented_manifest_comes_as_records_of_its_attributes(server, s3, name, channel_request, model_files):
    lines = [{"source-ref": f"s3://images/data/train/{file}", "class": label} for file, label in CLASSES]
    s3.put_object(Bucket="images", Key=f"manifests/{name}", Body="\n".join(map(json.dumps, lines)).encode())
    source = {
        "S3DataType": "AugmentedManifestFile",
        "S3Uri": f"s3://images/manifests/{name}",
        "AttributeNames": ["source-ref", "class"],
    }
    request = channel_request(
        name, behaviour="read-pipes", source=source, InputMode="Pipe", RecordWrapperType="RecordIO"
    )
    server.sagemaker.create_training_job(**request)

    assert server.ended_job(name)["TrainingJobStatus"] == "Completed"
    expected = b"".join(framed(file.encode()) + framed(label.encode()) for file, label in CLASSES)
    assert model_files(name)["train_0"] == expected


CLASSES = (("dog/1.jpg", "1"), ("cat/1.jpg", "0"))


def test_a_job_whose_pipe_cannot_be_filled_fails_and_says_why(server, s3, name, channel_request):
    s3.put_object(Bucket="images", Key=f"manifests/{name}", Body=b'{"source-ref": "s3://images/absent"}')
    source = {
        "S3DataType": "AugmentedManifestFile",
        "S3Uri": f"s3://images/manifests/{name}",
        "AttributeNames": ["source-ref"],
    }
    request = channel_request(name, behaviour="read-pipes", source=source, InputMode="Pipe")
    server.sagemaker.create_training_job(**request)

    job = server.ended_job(name)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(
        f"ClientError: Data download failed:s3://images/absent, which line 1 of s3://images/manifests/{name} names"
    )


def test_a_program_that_stops_reading_can_be_stopped(server, name, channel_request, job_log, until):
    server.sagemaker.create_training_job(**channel_request(name, behaviour="read-for-ever", InputMode="Pipe"))
    until(lambda: "waiting" in job_log(name))

    server.sagemaker.stop_training_job(TrainingJobName=name)

    assert server.ended_job(name)["TrainingJobStatus"] == "Stopped"


def test_fast_files_are_there_before_the_program_starts(server, name, channel_request, job_log):
    server.sagemaker.create_training_job(**channel_request(name, InputMode="FastFile"))
    server.ended_job(name)

    assert job_log(name)[0] == "files train/cat/1.jpg train/cat/2.jpg train/dog/1.jpg"


def test_an_augmented_manifest_is_refused_in_file_mode(server, name, channel_request, refusal):
    source = {"S3DataType": "AugmentedManifestFile", "AttributeNames": ["source-ref"]}

    code, message = refusal(server.sagemaker.create_training_job, **channel_request(name, source=source))

    assert code == "ValidationException"
    assert (
        message == "AugmentedManifestFile can only be used if the Channel's input mode is Pipe; channel train has File."
    )
