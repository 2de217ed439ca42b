import io
import json
import os

import boto3
import pytest
from moto import mock_aws
from PIL import Image

from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import ClassifierFileError, SettingsError
from image_classifier.prepare.shards import sharding
from image_classifier_airflow.params import train_params
from image_classifier_airflow.steps import clients
from image_classifier_airflow.steps.preparation import PreparationSteps

BUCKET = "images-of-tests"
SHAPE = {"image_shape": "3,32,32", "num_layers": 20}
PETS = Classifier(name="pets", source="images", hyperparameters=SHAPE, test_fraction=0)


class Ti:
    """What a step needs of its task instance."""

    def __init__(self):
        self.pushed = {}

    def xcom_push(self, key, value):
        self.pushed[key] = json.loads(json.dumps(value))


@pytest.fixture(autouse=True)
def deployment(monkeypatch, tmp_path):
    monkeypatch.setenv("IMAGE_CLASSIFIER_BUCKET", BUCKET)
    monkeypatch.setenv("IMAGE_CLASSIFIER_SAGEMAKER_ROLE_ARN", "arn:aws:iam::123456789012:role/sagemaker")
    monkeypatch.setenv("IMAGE_CLASSIFIER_FUNCTION_ROLE_ARN", "arn:aws:iam::123456789012:role/function")
    monkeypatch.setenv("IMAGE_CLASSIFIER_FAILURE_QUEUE_ARN", "arn:aws:sqs:us-east-1:123456789012:failures")
    monkeypatch.setenv("IMAGE_CLASSIFIER_DATA_FOLDER", str(tmp_path))


@pytest.fixture
def s3(monkeypatch):
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    with mock_aws():
        session = boto3.Session("testing", "testing", region_name="us-east-1")
        monkeypatch.setattr(clients, "aws_client", lambda _, service: session.client(service))
        monkeypatch.setattr("image_classifier.plan.preflight.check_deployment", lambda *_, **__: None)
        client = session.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture
def images(tmp_path):
    for number in range(40):
        file = tmp_path / "images" / ("cat" if number % 2 else "dog") / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 12), (number, 7, 99)).save(file)
        os.utime(file, (0, 0))  # long ago


def params(classifier=PETS, **changed):
    return {**{name: param.value for name, param in train_params(classifier).items()}, **changed}


def steps_of(**preparation):
    return PreparationSteps(PETS.revised({"preparation": preparation}))


@pytest.mark.parametrize("step", ["list_images", "prepare_dataset"])
def test_a_wrong_param_ends_the_run_before_anything_is_asked_of_aws(monkeypatch, step):
    monkeypatch.setattr(clients, "aws_client", lambda *_: pytest.fail("AWS was asked"))
    steps, given = steps_of(), {"ti": Ti()} if step == "list_images" else {}

    with pytest.raises(ClassifierFileError, match="mini_batch_size"):
        getattr(steps, step)(params=params(mini_batch_size=0), **given)


def test_a_missing_setting_ends_the_run_before_anything_is_asked_of_aws(monkeypatch):
    monkeypatch.setattr(clients, "aws_client", lambda *_: pytest.fail("AWS was asked"))
    monkeypatch.delenv("IMAGE_CLASSIFIER_BUCKET")

    with pytest.raises(SettingsError, match="IMAGE_CLASSIFIER_BUCKET is not set"):
        steps_of().prepare_dataset(params=params())


def test_mapped_tasks_are_given_names_and_numbers_alone(s3, images, monkeypatch):
    monkeypatch.setattr(sharding, "IMAGES_OF_A_MAPPED_SHARD", 15)
    steps, ti = steps_of(runner="mapped"), Ti()

    mapped = steps.list_images(params(), ti)
    for arguments in mapped:
        steps.prepare_shard(*arguments)
    dataset = steps.prepare_dataset(ti.pushed["listing"], params=params())

    listing = ti.pushed["listing"]
    assert mapped == [[listing["run"], 0], [listing["run"], 1], [listing["run"], 2]]
    assert listing == {
        "run": listing["run"],
        "images": 40,
        "unread": 40,
        "runner": "mapped",
        "shards": 3,
        "unchanged": "",
    }
    assert dataset["uploaded"] == 40


def test_few_images_are_left_to_one_task(s3, images):
    ti = Ti()

    assert steps_of().list_images(params(), ti) == []
    assert ti.pushed["listing"]["runner"] == "task"


def test_a_processing_job_is_asked_for_if_images_are_new(s3, monkeypatch):
    repository = "123456789012.dkr.ecr.us-east-1.amazonaws.com/image-classification-preparation:1"
    monkeypatch.setenv("IMAGE_CLASSIFIER_PREPARATION_IMAGE", repository)
    monkeypatch.setenv("IMAGE_CLASSIFIER_PREPARATION_ROLE_ARN", "arn:aws:iam::123456789012:role/preparation")
    for number in range(40):
        out = io.BytesIO()
        Image.new("RGB", (16, 12), (number, 7, 99)).save(out, "PNG")
        s3.put_object(Bucket=BUCKET, Key=f"photos/{('cat', 'dog')[number % 2]}/{number}.png", Body=out.getvalue())
    preparation = {"runner": "processing", "time_limit_s": 900}
    pets = PETS.revised({"source": f"s3://{BUCKET}/photos/", "preparation": preparation})
    steps, first, second = PreparationSteps(pets), Ti(), Ti()

    assert steps.list_images(params(pets), first) == []
    config = first.pushed["processing"]
    assert (config["classifier"], config["time_limit_s"]) == ("pets", 900)
    assert first.pushed["listing"]["run"] in config["request"]["AppSpecification"]["ContainerArguments"]

    steps.prepare_dataset(first.pushed["listing"], params=params(pets))
    steps.list_images(params(pets), second)
    assert second.pushed["processing"] == {}


def test_one_task_and_mapped_ones_make_the_same_data_set(s3, images, monkeypatch):
    monkeypatch.setattr(sharding, "IMAGES_OF_A_MAPPED_SHARD", 7)

    def made(**preparation):
        steps, ti = steps_of(**preparation), Ti()
        for arguments in steps.list_images(params(), ti):
            steps.prepare_shard(*arguments)
        prepared = steps.prepare_dataset(ti.pushed["listing"], params=params())
        found = s3.list_objects_v2(Bucket=BUCKET)["Contents"]
        bodies = {one["Key"]: s3.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read() for one in found}
        for key in bodies:
            s3.delete_object(Bucket=BUCKET, Key=key)
        return prepared, {key: body for key, body in bodies.items() if "/listing/" not in key}

    assert made(runner="mapped") == made(runner="task") == made(runner="auto")


@pytest.mark.parametrize("runner", ["task", "mapped"])
def test_an_unchanged_source_leaves_nothing_to_do(s3, images, caplog, runner):
    steps, first, second = steps_of(runner=runner), Ti(), Ti()
    for arguments in steps.list_images(params(), first):
        steps.prepare_shard(*arguments)
    prepared = steps.prepare_dataset(first.pushed["listing"], params=params())

    assert steps.list_images(params(), second) == []
    again = steps.prepare_dataset(second.pushed["listing"], params=params())

    assert again == {**prepared, "uploaded": 0, "unchanged": 40}
    assert f"Nothing has changed since version {prepared['fingerprint']}" in caplog.text


def test_a_task_of_its_own_lists_the_source_itself_with_the_runs_params(s3, images, tmp_path):
    (tmp_path / "images").rename(tmp_path / "others")

    dataset = steps_of(runner="task").prepare_dataset(params=params(source="others"))

    assert dataset["uploaded"] == 40
