"""Posts JSON to the address that an Airflow connection holds."""

from airflow.providers.common.compat.connection import get_async_connection
from airflow.providers.http.notifications.http import HttpNotifier
from airflow.sdk import BaseHook, Connection, Context

TIME_LIMIT_S = 10  # without a time-out requests, and with it the Dag processor, would wait forever


class WebhookNotifier(HttpNotifier):
    """Sends to addresses that are secrets themselves, as Slack's are.

    The connection's host is the public part of the address, such as `https://hooks.slack.com/services`. The rest is the
    password, which Airflow masks in logs and pages. If a login is set too, both are used for basic authentication.
    """

    def notify(self, context: Context) -> None:
        """Post the message; raise the provider's error unless the status is a success."""
        self.endpoint = _secret_path(BaseHook.get_connection(self.http_conn_id))
        self.extra_options = {"timeout": TIME_LIMIT_S}
        super().notify(context)

    async def async_notify(self, context: Context) -> None:
        """Post the message from the triggerer."""
        self.endpoint = _secret_path(await get_async_connection(self.http_conn_id))
        await super().async_notify(context)


def _secret_path(connection: Connection) -> str | None:
    return None if connection.login else connection.password
