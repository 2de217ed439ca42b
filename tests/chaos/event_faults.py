"""Kills function processes at random, and overwrites a bucket's notifications as a user does who follows a guide."""

import contextlib
import os
import random
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from image_classifier.connect.function_configuration import TIMEOUT_S

BETWEEN_KILLS_S = 4.0
# Of those events that no other entry took. 20 % of the requests to the endpoint are throttled, 5 % fail.
EVENTS = [
    {"fault": "invoke", "status": 429, "percent": 20},
    {"fault": "invoke", "status": 500, "percent": 6.25, "seed": 1},
    {"fault": "s3_event", "do": "lose", "percent": 5, "seed": 2},
    {"fault": "s3_event", "do": "repeat", "percent": 10.5, "seed": 3},
    {"fault": "s3_event", "do": "reorder", "seconds": 5, "percent": 5, "seed": 4},
]


def plan(classifier: str) -> list[dict[str, Any]]:
    """The faults of one classifier's endpoint and of its uploads."""
    where = {"invoke": {"EndpointName": f"image-classifier-{classifier}"}, "s3_event": {"Key": f"{classifier}/*"}}
    return [{**fault, "where": where[str(fault["fault"])]} for fault in EVENTS]


def overwrite_notifications(aws: Any) -> None:
    """Replace the bucket's whole configuration, as AWS's guide to EventBridge and Model Monitor tells people to."""
    aws.s3.put_bucket_notification_configuration(
        Bucket=aws.bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )


def shorten_visibility(aws: Any, queue: str) -> None:
    """Let the messages of a killed process come again after a minute, and not after six; a run resets it."""
    url = aws.sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    aws.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(TIMEOUT_S)})


@contextlib.contextmanager
def killed_functions(aws_state: Path) -> Iterator[list[int]]:
    """Send SIGKILL to a random function process every few seconds; gives the ids of those that were killed."""
    over, killed, choice = threading.Event(), list[int](), random.Random(5)

    def kill() -> None:
        while not over.wait(BETWEEN_KILLS_S):
            if running := _function_processes(f"{aws_state}/ministack/functions/running"):
                killed.append(choice.choice(running))
                with contextlib.suppress(ProcessLookupError):
                    os.kill(killed[-1], signal.SIGKILL)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


def _function_processes(folder: str) -> list[int]:
    """The processes with that folder in their command line; not the launcher, which has it before it executes them."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            with contextlib.suppress(OSError):
                words = (process / "cmdline").read_bytes().decode(errors="replace")
                if folder in words and "os.execvp" not in words:
                    found.append(int(process.name))
    return sorted(found)
