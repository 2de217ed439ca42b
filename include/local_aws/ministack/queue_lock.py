"""Lets requests and the event source mappings' poller change a queue's messages one at a time.

MiniStack serves requests in one thread and polls for event source mappings in another. Both replace a queue's list of
messages by a filtered copy, so a message that the other thread appended meanwhile got lost.
"""

import inspect
import threading
from collections.abc import Callable
from typing import Any

from local_aws.ministack.modules import sqs

_LOCK = threading.RLock()  # taken again by what it surrounds


def use_one_lock() -> None:
    """Let the poller take the lock that requests take."""
    sqs._queues_lock = _LOCK


def request(original: Callable[..., Any]) -> Callable[..., Any]:
    """Every request to SQS. ReceiveMessage may wait for messages, so only its parts are locked (`step`)."""

    async def locked(action: str, data: dict[str, Any], queue_url: str) -> Any:
        handler = sqs._HANDLERS.get(action)
        if inspect.iscoroutinefunction(handler):
            return await original(action, data, queue_url)
        with _LOCK:
            return await original(action, data, queue_url)

    return locked


def step(original: Callable[..., Any]) -> Callable[..., Any]:
    """One change of a queue's messages."""

    def locked(*arguments: Any) -> Any:
        with _LOCK:
            return original(*arguments)

    return locked
