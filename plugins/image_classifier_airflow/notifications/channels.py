"""Creates the provider's notifier for each channel of a classifier's file.

Their `notify` and `async_notify` are called directly. Used as a callback, a notifier renders its message as a Jinja
template, and an error message may contain anything.
"""

import html
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseNotifier

from image_classifier.contracts.errors import ClassifierFileError

if TYPE_CHECKING:
    from image_classifier_airflow.notifications.messages import Message


def notifier(channel: str, to: Any, *, message: "Message", aws_conn_id: str) -> BaseNotifier:
    """Return a notifier that sends `message` over `channel`, a field of `image_classifier.classifier.Notify`.

    `to` is that field's value. The notifiers are imported here, because they import aiohttp and every task parses its
    Dag file.
    """
    from airflow.providers.amazon.aws.notifications.ses import SesNotifier
    from airflow.providers.amazon.aws.notifications.sns import SnsNotifier

    from image_classifier_airflow.notifications.webhook import WebhookNotifier

    match channel:
        case "sns_topic_arn":
            return SnsNotifier(
                aws_conn_id=aws_conn_id,
                region_name=to.split(":")[3],  # a topic may be in another region than the classifier
                target_arn=to,
                subject=message.subject,
                message=message.text,
            )
        case "ses":
            return SesNotifier(
                aws_conn_id=aws_conn_id,
                mail_from=to["sender"],
                to=to["to"],
                subject=message.subject,
                html_content=f"<pre>{html.escape(message.text)}</pre>",
            )
        case "slack_conn_id":
            text = html.escape(
                f"*{message.subject}*\n{message.text}", quote=False
            )  # otherwise "<!channel>" in a message would notify everybody
            return WebhookNotifier(http_conn_id=to, json={"text": text})
        case "webhook_conn_id":
            return WebhookNotifier(http_conn_id=to, json=message.fields())
        case _:
            raise ClassifierFileError(f"notify has no channel {channel!r}; use one that include/classifiers explains.")
