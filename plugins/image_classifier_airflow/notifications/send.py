"""Sends one message over every channel of the classifier's file."""

import logging

from airflow.sdk.exceptions import AirflowException
from botocore.exceptions import BotoCoreError, ClientError

from image_classifier.classifier import Classifier
from image_classifier_airflow.notifications.channels import notifier
from image_classifier_airflow.notifications.messages import Message

log = logging.getLogger(__name__)


def send(message: Message, *, classifier: Classifier) -> bool:
    """Send the message; the failure of a channel is logged and affects neither the others nor the task.

    Returns whether a channel took the message, or the classifier has none.
    """
    if classifier.notify is None:
        return True
    sent = 0
    for channel, to in classifier.notify.channels.items():
        try:
            notifier(channel, to, message=message, aws_conn_id=classifier.aws_conn_id).notify({})
        except (AirflowException, BotoCoreError, ClientError, OSError):  # requests raises OSErrors
            log.exception("The message %r could not be sent over %s", message.event, channel)
        else:
            sent += 1
    return sent > 0
