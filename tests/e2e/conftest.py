"""Starts one set of services for all tests here: own state, own ports, real Airflow and the local AWS."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ports import free_port

from laptop import supervisor
from laptop.place import Place


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = tmp_path_factory.mktemp("laptop")
    return Place(state=state, aws_port=free_port(), sagemaker_port=free_port(), airflow_port=free_port())


@pytest.fixture(scope="session")
def services(place: Place) -> Iterator[Place]:
    supervisor.start(place)
    yield place
    supervisor.stop(place)
