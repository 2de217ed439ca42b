"""Checks that a message goes over every channel, and that the sender learns whether one accepted it."""

import pytest
from airflow.sdk.exceptions import AirflowException

from image_classifier.classifier import Classifier
from image_classifier_airflow.notifications import send as module
from image_classifier_airflow.notifications.messages import found

MESSAGE = found("cats", dag_id="dag", run_id="run", sentences=["The alias differs."], url="http://log")
NOTIFY = {"webhook_conn_id": "hook", "slack_conn_id": "slack"}


@pytest.fixture
def taken(monkeypatch):
    """The channels that took the message; those in `broken` raise."""
    channels = []

    class Notifier:
        def __init__(self, channel):
            self.channel = channel

        def notify(self, _):
            if self.channel in channels_broken:
                raise AirflowException("no answer")
            channels.append(self.channel)

    channels_broken = set()
    monkeypatch.setattr(module, "notifier", lambda channel, to, **_: Notifier(channel))
    return channels, channels_broken


@pytest.mark.parametrize("broken", [set(), {"webhook_conn_id"}, {"slack_conn_id"}, set(NOTIFY)])
def test_a_message_is_sent_if_one_channel_takes_it(taken, broken):
    channels, channels_broken = taken
    channels_broken |= broken
    cats = Classifier(name="cats", source="cats", notify=NOTIFY)

    assert module.send(MESSAGE, classifier=cats) is (broken != set(NOTIFY))
    assert set(channels) == NOTIFY.keys() - broken


def test_without_channels_there_is_nothing_to_send_again(taken):
    assert module.send(MESSAGE, classifier=Classifier(name="cats", source="cats")) is True
