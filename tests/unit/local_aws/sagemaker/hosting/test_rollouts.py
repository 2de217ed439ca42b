"""Checks that the end of an endpoint's change is stored, also after a full disk."""

import sqlite3

import pytest

from local_aws.faults.counting import Faults
from local_aws.sagemaker.container import Limits
from local_aws.sagemaker.hosting import rollouts
from local_aws.sagemaker.hosting.rollouts import ACTIVE, KIND, Rollouts
from local_aws.sagemaker.store import Store


class FullDisk(Store):
    """Takes no change for some tries."""

    tries = 3

    def change(self, kind, name, change):
        self.tries -= 1
        if self.tries > 0:
            raise sqlite3.OperationalError("database or disk is full")
        return super().change(kind, name, change)


@pytest.fixture
def store(tmp_path):
    store = FullDisk(tmp_path / "state.sqlite")
    serves = {"plan": {"config": {"ProductionVariants": []}}}
    endpoint = {"EndpointName": "e", "EndpointStatus": "Updating", "ProductionVariants": [], ACTIVE: serves}
    store.add(KIND, "e", endpoint)
    yield store
    store.close()


@pytest.fixture
def made(tmp_path, store, monkeypatch):
    monkeypatch.setattr(rollouts, "WRITE_AGAIN_S", 0.01)
    return Rollouts(aws=None, store=store, images=None, limits=Limits(), faults=Faults(), folder=tmp_path)


def test_the_end_of_a_change_is_written_once_there_is_room(made, store):
    made._roll_back("e", "it does not start")

    endpoint = store.get(KIND, "e")
    assert (endpoint["EndpointStatus"], endpoint["FailureReason"]) == ("InService", "it does not start")


def test_a_server_that_ends_does_not_wait_for_room(made, store):
    store.tries = 10**9
    made._closing.set()

    made._at_last("e", lambda: store.change(KIND, "e", lambda _: None))

    assert store.get(KIND, "e")["EndpointStatus"] == "Updating"
