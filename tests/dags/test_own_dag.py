"""Checks the Dag on the page for Dags of one's own: Airflow loads it, and AWS's model accepts its request."""

import re
from pathlib import Path
from types import SimpleNamespace

import botocore.session
import pytest
from airflow.sdk import Asset
from botocore.validate import ParamValidator

from image_classifier.contracts.training.job_hyperparameters import JobHyperparameters

PAGE = Path(__file__).parents[2] / "docs/own-dags.md"
IMAGES = Asset("image-classifier/digits/dataset")
EXTRA = {"version": "0f1e2d3c" * 4, "num_classes": 10, "num_training_samples": 1200}
ENVIRON = {
    "IMAGE_CLASSIFIER_BUCKET": "the-bucket",
    "IMAGE_CLASSIFIER_SAGEMAKER_ROLE_ARN": "arn:aws:iam::111122223333:role/training",
    "IMAGE_CLASSIFIER_ALGORITHM_IMAGE": "111122223333.dkr.ecr.us-east-1.amazonaws.com/image-classification:1",
}


@pytest.fixture(scope="session")
def own_dag(tmp_path_factory, parsed):
    [block] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    folder = tmp_path_factory.mktemp("dags")
    (folder / "other_digits.py").write_text(block)
    found = parsed(folder)
    assert found.import_errors == {}
    return found.dags["other_digits"]


@pytest.fixture
def request_of(own_dag, monkeypatch):
    """The request for these params, with the newest event of the Asset as a task gets it."""
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    events = {IMAGES: [SimpleNamespace(extra={}), SimpleNamespace(extra=EXTRA)]}
    return lambda **params: own_dag.get_task("request").python_callable(params=params, inlet_events=events)


def test_the_dag_on_the_page_runs_when_the_images_change(own_dag):
    assert own_dag.timetable.asset_condition.objects == (IMAGES,)
    assert own_dag.get_task("train").upstream_task_ids == {"request"}


def test_sagemaker_accepts_the_request_on_the_page(request_of):
    request = request_of(num_layers=32)

    sagemaker = botocore.session.get_session().get_service_model("sagemaker")
    shape = sagemaker.operation_model("CreateTrainingJob").input_shape
    assert not ParamValidator().validate(request, shape).has_errors()
    assert f"versions/{EXTRA['version']}/train_lst/" in str(request["InputDataConfig"])


def test_the_algorithm_accepts_the_hyperparameters_on_the_page(request_of):
    hyperparameters = JobHyperparameters.from_strings(request_of(num_layers=32)["HyperParameters"])

    assert hyperparameters.num_classes == EXTRA["num_classes"]
    assert hyperparameters.resize == hyperparameters.side_px  # required if the images are files


def test_another_request_on_the_page_has_another_name(request_of):
    names = [request_of(num_layers=layers)["TrainingJobName"] for layers in (32, 32, 44)]

    assert names[0] == names[1] != names[2]
    assert len(names[0]) <= 59
