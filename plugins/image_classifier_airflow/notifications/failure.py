"""Sends a message per failed run over every channel of the classifier's file."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from airflow.sdk import Context

from image_classifier.classifier import Classifier
from image_classifier_airflow.notifications.channels import notifier

if TYPE_CHECKING:
    from image_classifier_airflow.notifications.messages import Message

log = logging.getLogger(__name__)

ERROR = "error"  # the XCom key for the error of a task that has no retries left


def keep_error(context: Context) -> None:
    """Store the error in XCom; only a task's failure callback gets it, and the run's callback needs it."""
    from image_classifier_airflow.notifications.messages import in_a_sentence

    if "exception" in context:  # a lost worker leaves no error
        context["ti"].xcom_push(key=ERROR, value=in_a_sentence(context["exception"]))


def tell_failure(classifier: Classifier) -> list[Callable[[Context], None]] | None:
    """Return the Dag's failure callbacks, one per channel; if one fails, Airflow logs it and calls the next."""
    if classifier.notify is None:
        return None
    return [_callback(classifier, channel, to) for channel, to in classifier.notify.channels.items()]


def _callback(classifier: Classifier, channel: str, to: Any) -> Callable[[Context], None]:
    def tell(context: Context) -> None:
        message = _message(classifier.name, context)
        notifier(channel, to, message=message, aws_conn_id=classifier.aws_conn_id).notify(context)
        log.info("Run %s failed; a message was sent over %s", message.run_id, channel)

    return tell


def _message(classifier: str, context: Any) -> "Message":
    """Build the message from the Dag processor's context, which contains the last failed task, if there is one."""
    from image_classifier_airflow.notifications.messages import failed

    run = {"dag_id": context["dag"].dag_id, "run_id": context["run_id"], "reason": context["reason"]}
    if (ti := context.get("ti")) is None:
        return failed(classifier, **run, task_id=None, error=None, url="")
    error = ti.xcom_pull(task_ids=ti.task_id, map_indexes=ti.map_index, key=ERROR)
    return failed(classifier, **run, task_id=ti.task_id, error=error, url=ti.log_url)
