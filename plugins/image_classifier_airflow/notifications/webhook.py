"""Posts JSON to the address that an Airflow connection holds."""

from airflow.providers.common.compat.connection import get_async_connection
from airflow.providers.http.notifications.http import HttpNotifier
from airflow.sdk import BaseHook, Connection, Context

TIME_LIMIT_S = 10  # requests waits for ever otherwise, and the Dag processor with it


class WebhookNotifier(HttpNotifier):
    """The provider's notifier, for addresses that are secrets themselves, as Slack's are.

    The connection's host is what everyone may know, `https://hooks.slack.com/services`; the rest of the address stands
    in its password, which Airflow keeps out of its logs and pages. With a login too, both are for basic authentication.
    """

    def notify(self, context: Context) -> None:
        """Post, and raise what the other side says unless that is a success."""
        self.endpoint = _secret_path(BaseHook.get_connection(self.http_conn_id))
        self.extra_options = {"timeout": TIME_LIMIT_S}
        super().notify(context)

    async def async_notify(self, context: Context) -> None:
        """The same, from the triggerer."""
        self.endpoint = _secret_path(await get_async_connection(self.http_conn_id))
        await super().async_notify(context)


def _secret_path(connection: Connection) -> str | None:
    return None if connection.login else connection.password
