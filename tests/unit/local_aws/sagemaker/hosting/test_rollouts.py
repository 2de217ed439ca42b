"""Checks that the end of an endpoint's change is stored, also after a full disk."""

import sqlite3
import threading

import pytest

from local_aws.faults.counting import Faults
from local_aws.sagemaker.container import Limits
from local_aws.sagemaker.hosting import rollouts
from local_aws.sagemaker.hosting.rollouts import KIND, PENDING, Rollouts
from local_aws.sagemaker.store import Store


class FullDisk(Store):
    """Fails at the first two changes."""

    tries = 3

    def change(self, kind, name, change):
        self.tries -= 1
        if self.tries > 0:
            raise sqlite3.OperationalError("database or disk is full")
        return super().change(kind, name, change)


@pytest.fixture
def store(tmp_path):
    store = FullDisk(tmp_path / "state.sqlite")
    revision = {"revision": 1, "plan": {"config": {"EndpointConfigName": "c", "ProductionVariants": []}, "models": {}}}
    endpoint = {"EndpointName": "e", "EndpointStatus": "Creating", PENDING: revision}
    store.add(KIND, "e", endpoint)
    yield store
    store.close()


@pytest.fixture
def made(tmp_path, store, monkeypatch):
    monkeypatch.setattr(rollouts, "WRITE_AGAIN_S", 0.01)
    return Rollouts(aws=None, store=store, images=None, limits=Limits(), faults=Faults(), folder=tmp_path)


def wait_for_the_change() -> None:
    for thread in threading.enumerate():
        if thread.name == "_create e":
            thread.join()


def test_the_end_of_a_change_is_stored_once_the_disk_has_space(made, store):
    made.create("e")

    wait_for_the_change()
    assert store.get(KIND, "e")["EndpointStatus"] == "InService"


def test_a_server_that_ends_does_not_wait_for_space_on_the_disk(made, store):
    store.tries = 10**9
    made.create("e")

    made.close()

    wait_for_the_change()
    assert store.get(KIND, "e")["EndpointStatus"] == "Creating"
