"""Makes requests and the poller of event source mappings change a queue's messages one at a time.

MiniStack serves requests in one thread and polls for event source mappings in another. Both replace a queue's list of
messages by a filtered copy, so a message that the other thread appended in the meantime was lost.
"""

import inspect
import threading
from collections.abc import Awaitable, Callable

from local_aws.ministack.modules import Answer, sqs

_LOCK = threading.RLock()  # reentrant: `request` calls `step`


def use_one_lock() -> None:
    """Make the poller take the lock that requests take."""
    sqs._queues_lock = _LOCK


def request(original: Callable[..., Awaitable[Answer]]) -> Callable[..., Awaitable[Answer]]:
    """Wrap the dispatch of requests to SQS; ReceiveMessage may wait, so only its parts are locked (`step`)."""

    async def locked(action: str, data: dict[str, object], queue_url: str) -> Answer:
        handler = sqs._HANDLERS.get(action)
        if inspect.iscoroutinefunction(handler):
            return await original(action, data, queue_url)
        with _LOCK:
            return await original(action, data, queue_url)

    return locked


def step(original: Callable[..., object]) -> Callable[..., object]:
    """Wrap a function that changes a queue's messages once."""

    def locked(*arguments: object) -> object:
        with _LOCK:
            return original(*arguments)

    return locked
