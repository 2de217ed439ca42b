"""Checks which variables and folders a program has, and which of this machine it does not have."""

import json
import os

import pytest

from local_aws.sagemaker import container
from local_aws.sagemaker.aws import Aws


def environment(tmp_path, **given):
    return container.environment(tmp_path, aws=Aws("http://127.0.0.1:4566"), given=given, own={"OWN": "1"})


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


def configuration(tmp_path, *, host, **resources):
    job = {"ResourceConfig": {"InstanceType": "ml.g5.xlarge"} | resources, "HyperParameters": {"epochs": "3"}}
    channels = {"train": {"ContentType": "application/x-image"}}
    container.prepare_training(tmp_path, job=job, channels=channels, host=host)
    return {file.stem: json.loads(file.read_text()) for file in (tmp_path / "input/config").iterdir()}


def test_the_configuration_is_written_as_the_container_contract_has_it(tmp_path):
    config = configuration(tmp_path, host="algo-1")

    assert config["hyperparameters"] == {"epochs": "3"}
    assert config["inputdataconfig"] == {"train": {"ContentType": "application/x-image"}}
    assert config["resourceconfig"]["hosts"] == [config["resourceconfig"]["current_host"]] == ["algo-1"]
    assert all((tmp_path / folder).is_dir() for folder in ("model", "output", "checkpoints", "input/data"))


def test_each_host_knows_its_name_and_who_the_others_are(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")

    assert configuration(tmp_path, host="algo-2", InstanceCount=2)["resourceconfig"] == {
        "current_host": "algo-2",
        "current_instance_type": "ml.g5.xlarge",
        "current_group_name": "homogeneousCluster",
        "hosts": ["algo-1", "algo-2"],
        "instance_groups": [
            {
                "instance_group_name": "homogeneousCluster",
                "instance_type": "ml.g5.xlarge",
                "hosts": ["algo-1", "algo-2"],
            }
        ],
        "network_interface_name": "lo",
    }


def test_hosts_are_sorted_as_text():
    assert container.host_names(10)[:3] == ["algo-1", "algo-10", "algo-2"]
