"""Defines the triggers' base class: connection to AWS, polling interval, deadline and retried errors."""

import asyncio
import time
from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from time import monotonic
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
from airflow.triggers.base import BaseTrigger, TriggerEvent
from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import is_expired

# If a task is resumed before Airflow 3.3.2's scheduler has stored its deferral, the scheduler treats it as failed and
# uses up a try ("finished with state success, but the task instance's state attribute is running"). So events wait.
EARLIEST_EVENT_S = 5


class PollingTrigger(BaseTrigger):
    """A trigger that polls every `poll_interval_s` seconds until there is an event, at most until `deadline`.

    Args:
        poll_interval_s: seconds between two requests.
        deadline: the latest time of the event, in seconds since 1970, which survives a restart of the triggerer.
        aws_conn_id: the Airflow connection.
        region_name: the region; default: the connection's.
        verify: how TLS certificates are verified; default: the connection's setting.
        botocore_config: settings of the client; default: the connection's.

    """

    def __init__(
        self,
        *,
        poll_interval_s: float,
        deadline: float,
        aws_conn_id: str | None,
        region_name: str | None = None,
        verify: bool | str | None = None,
        botocore_config: dict[str, Any] | None = None,
    ) -> None:
        """Store the arguments, which `serialize` passes to the triggerer."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.poll_interval_s = poll_interval_s
        self.deadline = deadline
        self.connection: dict[str, Any] = {
            "aws_conn_id": aws_conn_id,
            "region_name": region_name,
            "verify": verify,
            "botocore_config": botocore_config,
        }

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments with which the triggerer recreates this trigger."""
        waiting = {"poll_interval_s": self.poll_interval_s, "deadline": self.deadline}
        return f"{type(self).__module__}.{type(self).__qualname__}", {**self.subject(), **waiting, **self.connection}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield the one event."""
        earliest = monotonic() + EARLIEST_EVENT_S
        while True:
            try:
                event = await self.watch()
            except ClientError as error:
                if not is_expired(error):
                    raise
                self.log.info("The credentials expired; reconnecting")
                event = self.overdue()
            if event is not None:
                if (wait_s := earliest - monotonic()) > 0:
                    await asyncio.sleep(wait_s)
                yield TriggerEvent(event)  # type: ignore[no-untyped-call]
                return
            await asyncio.sleep(self.poll_interval_s)

    @abstractmethod
    def subject(self) -> dict[str, Any]:
        """Return the subclass's own arguments, such as ``job_name``, by name."""

    @abstractmethod
    async def watch(self) -> dict[str, Any] | None:
        """Connect to AWS and poll until there is an event; return it, or None to connect again.

        An event is a dict of ``status`` and of what `subject` returns.
        """

    async def poll(self, look: Callable[[], Awaitable[dict[str, Any] | None]]) -> dict[str, Any]:
        """Call `look` until it returns an event, or until the deadline; return the event."""
        while True:
            if event := await look() or self.overdue():
                return event
            await asyncio.sleep(self.poll_interval_s)

    def overdue(self) -> dict[str, Any] | None:
        """Return the event "overdue" once the deadline has passed, otherwise None."""
        return {"status": "overdue", **self.subject()} if time.time() > self.deadline else None

    async def client(self, hook_class: type[AwsGenericHook[Any]]) -> Any:
        """Return a context manager of an asynchronous client with the operator's connection arguments."""
        arguments = {name: value for name, value in self.connection.items() if name != "botocore_config"}
        hook = hook_class(**arguments, config=self.connection["botocore_config"])
        return await hook.get_async_conn()  # type: ignore[no-untyped-call]
