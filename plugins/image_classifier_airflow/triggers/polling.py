"""Defines the triggers' base class: how it reaches AWS, how often it polls, its deadline, which errors it retries."""

import asyncio
import time
from abc import abstractmethod
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
from airflow.triggers.base import BaseTrigger, TriggerEvent
from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import is_expired

# Airflow 3.3.2's scheduler takes a task that is resumed before it has noted the deferral for one that died, and uses up
# a try ("finished with state success, but the task instance's state attribute is running"). So no event comes sooner.
EARLIEST_EVENT_S = 5


class PollingTrigger(BaseTrigger):
    """Look every `poll_interval_s` seconds until there is an event, at the latest at `deadline`.

    Args:
        poll_interval_s: seconds between two looks.
        deadline: when to give up, in seconds since 1970: it survives a restart of the triggerer.
        aws_conn_id: the Airflow connection.
        region_name: region, if not the connection's.
        verify: how TLS certificates are checked, if not as the connection says.
        botocore_config: settings of the client, if not the connection's.

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
        """Keep what `serialize` hands to the triggerer."""
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
        """What the triggerer needs to make this trigger again."""
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
        """The trigger's own arguments."""

    @abstractmethod
    async def watch(self) -> dict[str, Any] | None:
        """Connect, and look until there is an event."""

    def overdue(self) -> dict[str, Any] | None:
        """The event of giving up, once the deadline has passed."""
        return {"status": "overdue", **self.subject()} if time.time() > self.deadline else None

    async def client(self, hook_class: type[AwsGenericHook[Any]]) -> Any:
        """An asynchronous client that reaches AWS as the operator does; a context manager."""
        arguments = {name: value for name, value in self.connection.items() if name != "botocore_config"}
        hook = hook_class(**arguments, config=self.connection["botocore_config"])
        return await hook.get_async_conn()  # type: ignore[no-untyped-call]
