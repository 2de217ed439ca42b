"""Makes requests and the poller of event source mappings change a queue's messages one at a time.

MiniStack serves requests in one thread and polls for event source mappings in another. Both replace a queue's list of
messages by a filtered copy, so a message that the other thread appended in the meantime was lost.
"""

import inspect
import threading
from collections.abc import Callable
from typing import Any

from local_aws.ministack.modules import sqs

_LOCK = threading.RLock()  # reentrant: `request` calls `step`


def use_one_lock() -> None:
    """Make the poller take the lock that requests take."""
    sqs._queues_lock = _LOCK


def request(original: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the dispatch of requests to SQS; ReceiveMessage may wait, so only its parts are locked (`step`)."""

    async def locked(action: str, data: dict[str, Any], queue_url: str) -> Any:
        handler = sqs._HANDLERS.get(action)
        if inspect.iscoroutinefunction(handler):
            return await original(action, data, queue_url)
        with _LOCK:
            return await original(action, data, queue_url)

    return locked


def step(original: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a function that changes a queue's messages once."""

    def locked(*arguments: Any) -> Any:
        with _LOCK:
            return original(*arguments)

    return locked
