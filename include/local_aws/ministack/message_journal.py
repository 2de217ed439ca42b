"""Stores S3's messages to SQS queues on disk until the saved state of SQS holds them, so that a kill loses none."""

import json
import threading
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from local_aws import sqlite_file

if TYPE_CHECKING:
    from local_aws.ministack.documents import Message, Queue

_SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue_arn TEXT NOT NULL,
    message TEXT NOT NULL
);
"""


class MessageJournal:
    """The messages that queues have got since the state of SQS was saved. It may be used from any thread."""

    def __init__(self, file: Path) -> None:
        self._database = sqlite_file.open_file(file, _SCHEMA)
        self._lock = threading.Lock()

    def add(self, queue_arn: str, message: "Message") -> None:
        """Store a message that is in its queue; it is on disk when this returns."""
        row = (queue_arn, json.dumps(message))
        with self._lock:
            self._database.execute("INSERT INTO message (queue_arn, message) VALUES (?, ?)", row)

    def last(self) -> int:
        """Return the number of the newest message, or 0. A state that is read afterwards holds all up to it."""
        with self._lock:
            newest: int = self._database.execute("SELECT coalesce(max(id), 0) FROM message").fetchone()[0]
            return newest

    def forget(self, last: int) -> None:
        """Remove the messages up to a number, which the saved state holds unless they were deleted."""
        with self._lock:
            self._database.execute("DELETE FROM message WHERE id <= ?", (last,))

    def restore(self, queue_of: Callable[[str], "Queue | None"]) -> None:
        """Put the messages that the loaded state lacks into their queues; a deleted one may come again.

        Args:
            queue_of: returns the queue of an ARN, or None if it was deleted.

        """
        with self._lock:
            rows = self._database.execute("SELECT queue_arn, message FROM message ORDER BY id").fetchall()
        stored: defaultdict[str, list[Message]] = defaultdict(list)
        for queue_arn, text in rows:
            stored[queue_arn].append(json.loads(text))
        for queue_arn, messages in stored.items():
            if queue := queue_of(queue_arn):
                held = {message["id"] for message in queue["messages"]}
                queue["messages"] += [message for message in messages if message["id"] not in held]
