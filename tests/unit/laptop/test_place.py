"""Checks the ports and folders of one set of services."""

import re
import socket

import pytest
from tests.ports import free_port

from laptop.place import LaptopError, Place
from local_aws.processes.ports import is_free


def test_a_port_in_use_is_named_with_its_purpose_and_its_variable(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(LaptopError, match=rf"Port {port}, for Airflow, is in use.*AIRFLOW_PORT="):
            Place(state=tmp_path, aws_port=0, sagemaker_port=0, airflow_port=port).check_ports(patience_s=0)


def test_all_ports_in_use_are_named_with_a_command_that_changes_them(tmp_path):
    with socket.socket() as one, socket.socket() as other:
        for taken in (one, other):
            taken.bind(("127.0.0.1", 0))
            taken.listen()
        aws, airflow = one.getsockname()[1], other.getsockname()[1]
        place = Place(state=tmp_path, aws_port=aws, sagemaker_port=free_port(), airflow_port=airflow)

        with pytest.raises(LaptopError) as caught:
            place.check_ports(patience_s=0)

    said = re.search(r"LOCAL_AWS_PORT=(\d+) LOCAL_SAGEMAKER_PORT=(\d+) AIRFLOW_PORT=(\d+) make", str(caught.value))
    assert f"ort {aws}, for the local AWS, is in use by another program; port {airflow}, for" in str(caught.value)
    assert int(said[2]) == place.sagemaker_port
    assert all(is_free(int(port), address="127.0.0.1") for port in said.groups())


def test_variables_move_the_place(tmp_path):
    environ = {"LAPTOP_STATE": str(tmp_path), "AIRFLOW_PORT": "9090"}

    place = Place.from_env(environ)

    assert (place.state, place.airflow_port, place.aws_port) == (tmp_path, 9090, 4566)


def test_a_place_is_the_same_in_another_process(tmp_path):
    place = Place(state=tmp_path, aws_port=1, sagemaker_port=2, airflow_port=3)

    assert Place.from_env(place.as_env()) == place


def test_the_ports_of_the_last_start_are_found_without_the_variables(tmp_path):
    place = Place(state=tmp_path, aws_port=1, sagemaker_port=2, airflow_port=3)
    place.remember_ports()

    assert Place.from_env({"LAPTOP_STATE": str(tmp_path)}) == place
    assert Place.from_env({"LAPTOP_STATE": str(tmp_path), "AIRFLOW_PORT": "9090"}).airflow_port == 9090
    assert Place.from_env({"LAPTOP_STATE": str(tmp_path / "other")}).airflow_port == 8080


def test_ports_that_a_power_cut_left_empty_are_the_default_ones(tmp_path):
    (tmp_path / "ports.json").write_text("")

    assert Place.from_env({"LAPTOP_STATE": str(tmp_path)}) == Place(tmp_path)
