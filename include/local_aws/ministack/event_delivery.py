"""Delivers S3's events to functions and SQS queues, with the losses, duplicates and delays of the fault plan."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from local_aws.faults.plan import S3Event
from local_aws.ministack import stored_objects
from local_aws.ministack.modules import sqs

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_aws.faults.counting import Faults
    from local_aws.ministack.documents import Message, Queue
    from local_aws.ministack.documents import S3Event as Event
    from local_aws.ministack.invocation_queue import InvocationQueue
    from local_aws.ministack.message_journal import MessageJournal

_OVERTAKEN_S = 0.5  # later than the event that overtook it, so that another process does not run it first


class EventDelivery:
    """Passes the events of uploads to the queue of invocations. It may be used from any thread."""

    def __init__(self, queue: InvocationQueue, *, journal: MessageJournal, faults: Faults) -> None:
        self._queue = queue
        self._journal = journal
        self._faults = faults
        self._held: defaultdict[str, list[int]] = defaultdict(list)
        self._held_messages: defaultdict[str, list[Message]] = defaultdict(list)
        self._lock = threading.Lock()

    def deliver(self, arn: str, event: Event, region: str) -> None:  # noqa: ARG002  MiniStack's signature
        """Accept an event for a function; it is stored before it is delivered, so that a kill does not lose it."""
        fault = self._faults.take(S3Event, _fields(arn, event))
        with stored_objects.noted_if_undelivered(), self._lock:
            if fault is None:
                self._queue.put(arn, event)
                self._release(arn)
            else:
                self._deliver_wrongly(arn, event, fault)

    def _deliver_wrongly(self, arn: str, event: Event, fault: S3Event) -> None:
        times = {"lose": 0, "repeat": 2}.get(fault.do, 1)
        accepted = [self._queue.put(arn, event, after_s=fault.seconds or 0.0) for _ in range(times)]
        if fault.do == "reorder":
            self._held[arn] += accepted

    def _release(self, arn: str) -> None:
        """Deliver the events that were held back, the last one first, after an event that has overtaken them."""
        for place, held in enumerate(reversed(self._held.pop(arn, [])), start=1):
            self._queue.reschedule(held, after_s=place * _OVERTAKEN_S)

    def to_queue(self, original: Callable[..., None]) -> Callable[..., None]:
        """Return the replacement of MiniStack's delivery to an SQS queue."""

        def deliver(arn: str, event: Event, region: str, bucket_name: str = "") -> None:
            is_test = "Records" not in event
            fault = None if is_test else self._faults.take(S3Event, _fields(arn, event))
            times = {"lose": 0, "repeat": 2}.get(fault.do, 1) if fault else 1
            with sqs._queues_lock:
                sent = _messages(arn)
                before = len(sent)
                for _ in range(times):
                    original(arn, event, region, bucket_name=bucket_name)
                if fault and fault.seconds is not None:
                    self._postpone(arn, fault, accepted=sent[-1] if sent else None)
                elif not is_test:
                    self._release_messages(arn)
                with stored_objects.noted_if_undelivered():
                    for message in sent[before:]:
                        self._journal.add(arn, message)

        return deliver

    def _postpone(self, arn: str, fault: S3Event, *, accepted: Message | None) -> None:
        if accepted is None:
            return
        accepted["visible_at"] = time.time() + (fault.seconds or 0.0)
        if fault.do == "reorder":
            self._held_messages[arn].append(accepted)

    def _release_messages(self, arn: str) -> None:
        """Do as `_release` does, for the messages of a queue."""
        for place, message in enumerate(reversed(self._held_messages.pop(arn, [])), start=1):
            message["visible_at"] = time.time() + place * _OVERTAKEN_S


def _messages(arn: str) -> list[Message]:
    queue: Queue | None = sqs._queue_by_arn(arn)
    return queue["messages"] if queue else []


def _fields(arn: str, event: Event) -> dict[str, str]:
    """Return the fields that `where` can name."""
    record = event["Records"][0]
    bucket, key = record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"])
    target = "QueueArn" if arn.split(":")[2] == "sqs" else "FunctionArn"
    return {"Bucket": bucket, "Key": key, "EventName": record["eventName"], target: arn}
