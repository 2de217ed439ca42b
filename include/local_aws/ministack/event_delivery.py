"""Hands S3's events to the functions' queue: at once, or as the fault plan says lost, twice, late, out of order."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from local_aws.faults.plan import S3Event

if TYPE_CHECKING:
    from local_aws.faults.counting import Faults
    from local_aws.ministack.invocation_queue import InvocationQueue

_OVERTAKEN_S = 0.5  # later than the event that overtook it, so that another process does not run it first


class EventDelivery:
    """What stands between an upload and the queue. May be used from any thread."""

    def __init__(self, queue: InvocationQueue, *, faults: Faults) -> None:
        self._queue = queue
        self._faults = faults
        self._held: defaultdict[str, list[int]] = defaultdict(list)
        self._lock = threading.Lock()

    def deliver(self, arn: str, event: dict[str, Any], region: str) -> None:  # noqa: ARG002  MiniStack's signature
        """Accept an event for a function. What waits is on disk: a kill loses only what the plan loses."""
        fault = self._faults.take(S3Event, _fields(arn, event))
        with self._lock:
            if fault is None:
                self._queue.put(arn, event)
                self._release(arn)
            else:
                self._deliver_wrongly(arn, event, fault)

    def _deliver_wrongly(self, arn: str, event: dict[str, Any], fault: S3Event) -> None:
        times = {"lose": 0, "repeat": 2}.get(fault.do, 1)
        accepted = [self._queue.put(arn, event, after_s=fault.seconds or 0.0) for _ in range(times)]
        if fault.do == "reorder":
            self._held[arn] += accepted

    def _release(self, arn: str) -> None:
        """Let what was held back follow the event that has overtaken it, the last held first."""
        for place, held in enumerate(reversed(self._held.pop(arn, [])), start=1):
            self._queue.reschedule(held, after_s=place * _OVERTAKEN_S)


def _fields(arn: str, event: dict[str, Any]) -> dict[str, Any]:
    """What `where` can name."""
    record = event["Records"][0]
    bucket, key = record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"])
    return {"Bucket": bucket, "Key": key, "EventName": record["eventName"], "FunctionArn": arn}
