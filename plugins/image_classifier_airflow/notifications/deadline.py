"""Sends a message over every channel of the classifier's file for a run that has not ended in time."""

import logging
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from airflow.sdk.configuration import conf
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference
from airflow.sdk.exceptions import AirflowRuntimeError
from asgiref.sync import sync_to_async

from image_classifier.classifier import Classifier
from image_classifier_airflow.notifications.channels import notifier
from image_classifier_airflow.task_states import ASKS

log = logging.getLogger(__name__)


def deadlines(classifier: Classifier) -> list[DeadlineAlert]:
    """Return the Dag's deadline once per channel, so that a channel that fails does not affect the others.

    Waiting for a person's answer does not count. So a classifier with approval has a second deadline, which is later by
    the time limit of a question; the first one sends nothing for a run that has asked its question.
    """
    notify, promotion = classifier.notify, classifier.promotion
    if notify is None or notify.deadline_s is None:
        return []
    waits = [0, promotion.approval_time_limit_s] if promotion.mode == "approval" else [0]
    said = {"classifier": classifier.name, "aws_conn_id": classifier.aws_conn_id}
    return [
        DeadlineAlert(
            name=f"Tell {channel} after {notify.deadline_s + wait_s:,} s",
            reference=DeadlineReference.DAGRUN_QUEUED_AT,
            interval=timedelta(seconds=notify.deadline_s + wait_s),
            callback=AsyncCallback(
                tell_overdue,
                kwargs={
                    **said,
                    "deadline_s": notify.deadline_s + wait_s,
                    "channel": channel,
                    "to": to,
                    "unless_asked": promotion.mode == "approval" and not wait_s,
                },
            ),
        )
        for channel, to in notify.channels.items()
        for wait_s in waits
    ]


def run_url(dag_id: str, run_id: str) -> str:
    """Return the address of a run's page in Airflow."""
    base_url = conf.get("api", "base_url", fallback="").rstrip("/")
    return f"{base_url}/dags/{dag_id}/runs/{quote(run_id)}"


async def tell_overdue(
    *,
    classifier: str,
    deadline_s: int,
    aws_conn_id: str,
    channel: str,
    to: Any,
    context: Any,
    unless_asked: bool = False,
) -> None:
    """Send the message; the triggerer calls this after the deadline. `context` holds the run as in the REST API."""
    from image_classifier_airflow.notifications.messages import overdue

    run = context["dag_run"]
    if run["end_date"] is not None:  # Airflow keeps the deadlines of a failed run, for which a message was sent already
        return
    dag_id, run_id = run["dag_id"], run["dag_run_id"]
    if unless_asked and await _was_asked_about(dag_id, run_id):
        log.info(
            "Run %s waits, or waited, for a person's answer, which does not count; it is checked again later", run_id
        )
        return
    url = run_url(dag_id, run_id)
    message = overdue(classifier, dag_id=dag_id, run_id=run_id, deadline_s=deadline_s, url=url)
    await notifier(channel, to, message=message, aws_conn_id=aws_conn_id).async_notify({})
    log.info("Run %s is overdue; a message was sent over %s", run_id, channel)


async def _was_asked_about(dag_id: str, run_id: str) -> bool:
    """Return whether the run has asked a person; False also if Airflow does not answer."""
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    try:
        states = await sync_to_async(RuntimeTaskInstance.get_task_states)(dag_id=dag_id, run_ids=[run_id])
    except (AirflowRuntimeError, ImportError) as error:
        log.warning("Airflow does not say what run %s waits for: %s", run_id, error)
        return False
    return states.get(run_id, {}).get(ASKS) is not None
