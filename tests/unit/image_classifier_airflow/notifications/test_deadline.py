"""Checks that a run which has not ended in time is reported once over every channel."""

import asyncio
import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk.module_loading import import_string

from image_classifier.classifier import Classifier
from image_classifier_airflow.notifications import deadline

BOTH = {"sns_topic_arn": "arn:aws:sns:us-east-1:123456789012:runs", "webhook_conn_id": "ops"}
RUN = {"dag_id": "cats_train_and_deploy", "dag_run_id": "manual__2026-01-01T00:00:00+00:00", "end_date": None}


@pytest.fixture
def sent(monkeypatch):
    """What was handed to the notifiers, as (channel, to, connection, message)."""
    messages = []

    def notifier(channel, to, *, message, aws_conn_id):
        async def send(_):
            messages.append((channel, to, aws_conn_id, message))

        return SimpleNamespace(async_notify=send)

    monkeypatch.setattr(deadline, "notifier", notifier)
    return messages


def deadlines(**notify):
    classifier = Classifier(name="cats", source="cats", aws_conn_id="aws_cats", notify=notify or None)
    return deadline.deadlines(classifier)


def miss(alert, **run):
    """What the triggerer does; the arguments go through the database before."""
    kwargs = json.loads(json.dumps(alert.callback.kwargs))
    asyncio.run(import_string(alert.callback.path)(**kwargs, context={"dag_run": {**RUN, **run}}))


def test_without_notify_or_a_deadline_nothing_is_watched():
    assert deadlines() == []
    assert deadlines(**BOTH) == []


def test_time_counts_from_the_moment_the_run_is_queued():
    [alert] = deadlines(webhook_conn_id="ops", deadline_s=7200)

    assert alert.interval == timedelta(hours=2)
    assert alert.reference.reference_name == "DagRunQueuedAtDeadline"


def test_each_channel_reports_that_the_run_is_overdue_and_where_it_is(sent, monkeypatch):
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.com/")

    for alert in deadlines(**BOTH, deadline_s=7200):
        miss(alert)

    assert [(channel, to, connection) for channel, to, connection, _ in sent] == [
        ("sns_topic_arn", BOTH["sns_topic_arn"], "aws_cats"),
        ("webhook_conn_id", "ops", "aws_cats"),
    ]
    assert {message.event for *_, message in sent} == {"run_overdue"}
    assert {message.url for *_, message in sent} == {
        "https://airflow.example.com/dags/cats_train_and_deploy/runs/manual__2026-01-01T00%3A00%3A00%2B00%3A00"
    }


def asking(limit_s=3600):
    promotion = {"mode": "approval", "approval_time_limit_s": limit_s}
    notify = {"webhook_conn_id": "ops", "deadline_s": 7200}
    return deadline.deadlines(Classifier(name="cats", source="cats", promotion=promotion, notify=notify))


def test_waiting_for_an_answer_does_not_count():
    assert [alert.interval for alert in asking()] == [timedelta(hours=2), timedelta(hours=3)]


@pytest.mark.parametrize(
    ("states", "told"),
    [
        ({"promote.ask": "awaiting_input"}, []),
        ({"promote.ask": "success"}, []),
        ({"promote.ask": None}, ["run_overdue"]),
    ],
)
def test_a_run_with_an_open_question_is_reported_after_the_longest_wait(sent, monkeypatch, states, told):
    def states_of(dag_id, run_ids):
        return {run_ids[0]: states}

    monkeypatch.setattr("airflow.sdk.execution_time.task_runner.RuntimeTaskInstance.get_task_states", states_of)
    first, second = asking()

    miss(first)
    assert [message.event for *_, message in sent] == told
    miss(second)
    assert len(sent) == len(told) + 1


def test_a_run_that_has_failed_before_is_not_told_again(sent):
    """Airflow takes away the deadlines of runs that succeed, and those alone."""
    [alert] = deadlines(webhook_conn_id="ops", deadline_s=60)

    miss(alert, end_date="2026-01-01T00:00:30Z")

    assert sent == []
