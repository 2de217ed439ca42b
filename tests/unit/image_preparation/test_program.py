"""Checks that an instance prepares its own shards, and reports the result in DescribeProcessingJob."""

import json
from concurrent.futures.process import BrokenProcessPool
from types import SimpleNamespace

import pydantic
import pytest
from botocore.exceptions import ClientError

from image_classifier.contracts.errors import DatasetError, StorageError
from image_classifier.prepare.processing.work import Work
from image_preparation import __main__ as program
from image_preparation.connection import Connection

ARN = "arn:aws:sagemaker:eu-west-1:123456789012:processing-job/image-classifier-cats-0123456789abcdef"


@pytest.fixture
def container(tmp_path, monkeypatch):
    """The folder of an instance: its name among the names of all."""

    def make(host, hosts=("algo-1", "algo-2")):
        (tmp_path / "config").mkdir(exist_ok=True)
        resources = {"current_host": host, "hosts": list(hosts)}
        (tmp_path / "config" / "resourceconfig.json").write_text(json.dumps(resources))
        (tmp_path / "config" / "processingjobconfig.json").write_text(json.dumps({"ProcessingJobArn": ARN}))
        monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
        monkeypatch.setenv("IMAGE_CLASSIFIER_BUCKET", "pictures")
        return tmp_path / "output" / "message"

    return make


@pytest.fixture
def prepared(monkeypatch):
    """What was to be prepared, and the error that preparing raises."""
    calls = SimpleNamespace(numbers=None, shards=None, connection=None, processes=None, error=None)

    def prepare(numbers, *, shards, connect, processes, progress):
        calls.numbers, calls.shards, calls.connection = list(numbers), shards, connect()
        calls.processes = processes
        if calls.error:
            raise calls.error
        progress.add(progress.total, rejected=2)

    monkeypatch.setattr(program, "prepare_in_processes", prepare)
    return calls


class Model(pydantic.BaseModel):
    shards: int


def run(shards=5, images=5_000):
    return program.main(Work("cats", "0123456789abcdef", shards, images).arguments)


@pytest.mark.parametrize(
    ("host", "hosts", "numbers"),
    [
        ("algo-1", ("algo-1",), [0, 1, 2, 3, 4]),
        ("algo-1", ("algo-1", "algo-2"), [0, 2, 4]),
        ("algo-2", ("algo-2", "algo-1"), [1, 3]),
    ],
)
def test_an_instance_prepares_the_shards_of_its_number(container, prepared, host, hosts, numbers):
    message = container(host, hosts)

    assert run() == 0
    assert prepared.numbers == numbers
    assert (prepared.shards.classifier, prepared.shards.bucket) == ("cats", "pictures")
    assert message.read_text() == f"{1000 * len(numbers):,} images prepared, 2 of them rejected. "


def test_clients_are_of_the_region_of_the_job(container, prepared):
    container("algo-1")
    run()

    assert prepared.connection == Connection("eu-west-1")
    assert prepared.connection().meta.region_name == "eu-west-1"


def test_no_more_processes_than_shards_are_started(container, prepared):
    container("algo-1")
    run(shards=1, images=3)

    assert (prepared.numbers, prepared.processes) == ([0], 1)


def refusal(status):
    response = {"Error": {"Code": "X", "Message": "No."}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "GetObject")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (DatasetError("S3 refuses to read it."), "DatasetError: S3 refuses to read it. "),
        (StorageError("S3 is too busy."), "StorageError: S3 is too busy. "),  # by this word another attempt is made
        (refusal(503), "StorageError: An error occurred (X)"),
        (refusal(403), "ClientError: An error occurred (X)"),
        (BrokenProcessPool(), "too little memory"),
        (OSError(28, "No space left on device"), "cannot be read or written: [Errno 28] No space left on device"),
    ],
)
def test_a_failure_is_told_in_the_exit_message(container, prepared, capsys, error, words):
    message = container("algo-2")
    prepared.error = error

    assert run() == 1
    assert words in message.read_text()
    assert message.read_text().strip() in capsys.readouterr().out


def test_the_messages_of_two_instances_fit_into_one_exit_message(container, prepared):
    message = container("algo-1")
    prepared.error = DatasetError("ü" * 1_000)
    run()

    assert len(message.read_bytes()) <= 512
    assert message.read_text().startswith("DatasetError: ü")


def test_a_listing_of_another_release_asks_for_another_image(container, prepared):
    message = container("algo-1")
    with pytest.raises(pydantic.ValidationError) as other:
        Model.model_validate({"shards": "many"})
    prepared.error = other.value

    assert run() == 1
    assert "build and push the image again" in message.read_text()
