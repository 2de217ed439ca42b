"""Sends one message, over every channel of the classifier's file, for a run that has not ended in time."""

import logging
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from airflow.sdk.configuration import conf
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from image_classifier.classifier import Classifier
from image_classifier_airflow.notifications.channels import notifier
from image_classifier_airflow.notifications.messages import overdue

log = logging.getLogger(__name__)


def deadlines(classifier: Classifier) -> list[DeadlineAlert]:
    """Return the Dag's deadline once per channel, so that a channel that fails does not affect the others."""
    notify = classifier.notify
    if notify is None or notify.deadline_s is None:
        return []
    said = {"classifier": classifier.name, "deadline_s": notify.deadline_s, "aws_conn_id": classifier.aws_conn_id}
    return [
        DeadlineAlert(
            name=f"Tell {channel} after {notify.deadline_s:,} s",
            reference=DeadlineReference.DAGRUN_QUEUED_AT,
            interval=timedelta(seconds=notify.deadline_s),
            callback=AsyncCallback(tell_overdue, kwargs={**said, "channel": channel, "to": to}),
        )
        for channel, to in notify.channels.items()
    ]


async def tell_overdue(
    *, classifier: str, deadline_s: int, aws_conn_id: str, channel: str, to: Any, context: Any
) -> None:
    """Send the message; the triggerer calls this after the deadline. `context` holds the run as in the REST API."""
    run = context["dag_run"]
    if run["end_date"] is not None:  # Airflow keeps the deadlines of a failed run, for which a message was sent already
        return
    dag_id, run_id = run["dag_id"], run["dag_run_id"]
    base_url = conf.get("api", "base_url", fallback="").rstrip("/")
    url = f"{base_url}/dags/{dag_id}/runs/{quote(run_id)}"
    message = overdue(classifier, dag_id=dag_id, run_id=run_id, deadline_s=deadline_s, url=url)
    await notifier(channel, to, message=message, aws_conn_id=aws_conn_id).async_notify({})
    log.info("Run %s is overdue; %s was told", run_id, channel)
