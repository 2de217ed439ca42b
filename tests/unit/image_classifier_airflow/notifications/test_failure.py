"""Checks that a failed run is reported once over every channel, with the error that its task stored."""

from types import SimpleNamespace

import pytest

from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import DatasetError
from image_classifier_airflow.notifications import failure

BOTH = {"sns_topic_arn": "arn:aws:sns:us-east-1:123456789012:runs", "webhook_conn_id": "ops"}


class TaskInstance:
    """As much of Airflow's as a callback sees; its XComs are in a dict."""

    task_id, map_index, log_url = "train.train_model", -1, "https://airflow.example.com/log"

    def __init__(self):
        self.xcoms = {}

    def xcom_push(self, key, value):
        self.xcoms[self.task_id, self.map_index, key] = value

    def xcom_pull(self, *, task_ids, map_indexes, key):
        return self.xcoms.get((task_ids, map_indexes, key))


@pytest.fixture
def sent(monkeypatch):
    """What was handed to the notifiers, as (channel, to, connection, message)."""
    messages = []

    def notifier(channel, to, *, message, aws_conn_id):
        return SimpleNamespace(notify=lambda _: messages.append((channel, to, aws_conn_id, message)))

    monkeypatch.setattr(failure, "notifier", notifier)
    return messages


@pytest.fixture
def ti():
    return TaskInstance()


def run(**more):
    return {
        "dag": SimpleNamespace(dag_id="cats_train_and_deploy"),
        "run_id": "manual__1",
        "reason": "task_failure",
        **more,
    }


def classifier(notify):
    return Classifier(name="cats", source="cats", aws_conn_id="aws_cats", notify=notify)


def test_no_message_is_sent_unless_the_file_says_so():
    assert failure.tell_failure(classifier(None)) is None


def test_each_channel_is_notified_by_a_callback_of_its_own(sent, ti):
    for callback in failure.tell_failure(classifier(BOTH)):
        callback(run(ti=ti))

    assert [(channel, to, connection) for channel, to, connection, _ in sent] == [
        ("sns_topic_arn", BOTH["sns_topic_arn"], "aws_cats"),
        ("webhook_conn_id", "ops", "aws_cats"),
    ]


def test_the_message_has_the_error_that_the_task_kept_and_its_log(sent, ti):
    failure.keep_error({"ti": ti, "exception": DatasetError("/data/cats holds no images.")})
    [callback] = failure.tell_failure(classifier({"webhook_conn_id": "ops"}))

    callback(run(ti=ti))

    [(*_, message)] = sent
    assert message.sentence == "DatasetError: /data/cats holds no images."
    assert (message.dag_id, message.run_id, message.task_id) == ("cats_train_and_deploy", "manual__1", ti.task_id)
    assert (message.classifier, message.url) == ("cats", ti.log_url)


def test_a_lost_worker_leaves_no_error_to_keep(ti):
    failure.keep_error({"ti": ti})

    assert ti.xcoms == {}


def test_a_run_of_which_airflow_names_no_task_is_reported_all_the_same(sent):
    [callback] = failure.tell_failure(classifier({"webhook_conn_id": "ops"}))

    callback(run(reason="timed_out"))

    [(*_, message)] = sent
    assert message.sentence == "The run failed: timed out."
