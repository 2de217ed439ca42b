"""What a program finds around it, and what of this machine it does not."""

import json
import os

import pytest

from local_aws.sagemaker import container


def environment(tmp_path, **given):
    return container.environment(tmp_path, endpoint_url="http://127.0.0.1:4566", given=given, own={"OWN": "1"})


@pytest.mark.parametrize(
    "name", ["AWS_PROFILE", "AIRFLOW_HOME", "AIRFLOW__CORE__FERNET_KEY", "IMAGE_CLASSIFIER_BUCKET"]
)
def test_the_settings_of_this_machine_are_hidden(tmp_path, monkeypatch, name):
    monkeypatch.setenv(name, "secret")

    assert name not in environment(tmp_path)


def test_the_request_may_add_variables_but_not_replace_the_container_s_own(tmp_path):
    found = environment(tmp_path, LEVEL="debug", SAGEMAKER_BASE_DIR="/elsewhere", OWN="2")

    assert (found["LEVEL"], found["SAGEMAKER_BASE_DIR"], found["OWN"]) == ("debug", str(tmp_path), "1")
    assert found["AWS_REGION"] == "us-east-1"


def test_programs_of_this_project_are_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"include{os.pathsep}/mine")

    assert environment(tmp_path)["PYTHONPATH"].split(os.pathsep) == [str(container.SOURCES), "/mine"]
    assert (container.SOURCES / "local_aws" / "sagemaker").is_dir()


def test_the_configuration_is_written_as_the_container_contract_has_it(tmp_path):
    job = {"ResourceConfig": {"InstanceType": "ml.g5.xlarge"}, "HyperParameters": {"epochs": "3"}}

    container.prepare_training(tmp_path, job=job, channels={"train": {"ContentType": "application/x-image"}})

    config = {file.stem: json.loads(file.read_text()) for file in (tmp_path / "input/config").iterdir()}
    assert config["hyperparameters"] == {"epochs": "3"}
    assert config["inputdataconfig"] == {"train": {"ContentType": "application/x-image"}}
    assert config["resourceconfig"]["hosts"] == [config["resourceconfig"]["current_host"]] == ["algo-1"]
    assert all((tmp_path / folder).is_dir() for folder in ("model", "output", "checkpoints", "input/data"))
