"""Checks the ports and folders of one set of services."""

import socket

import pytest

from laptop.place import LaptopError, Place


def test_a_port_in_use_is_named_with_its_purpose_and_its_variable(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(LaptopError, match=rf"Port {port}, for Airflow, is in use.*AIRFLOW_PORT="):
            Place(state=tmp_path, aws_port=0, sagemaker_port=0, airflow_port=port).check_ports(patience_s=0)


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
