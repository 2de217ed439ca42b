"""Stores asynchronous invocations on disk until they are done, so that an accepted event survives the process."""

import json
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from local_aws import sqlite_file

_SCHEMA = """
CREATE TABLE IF NOT EXISTS invocation (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id TEXT NOT NULL,
    function_arn TEXT NOT NULL,
    event TEXT NOT NULL,
    accepted_s REAL NOT NULL,
    due_s REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    is_running INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS next_due ON invocation (is_running, due_s, id);
UPDATE invocation SET is_running = 0;
"""


@dataclass(frozen=True)
class Invocation:
    """One accepted event. `attempts` counts the invocations before this one."""

    id: int
    request_id: str
    function_arn: str
    event: object
    accepted_s: float
    attempts: int


class InvocationQueue:
    """A queue in order of arrival; events that were being handled at a kill are handled again (at least once)."""

    def __init__(self, file: Path) -> None:
        self._database = sqlite_file.open_file(file, _SCHEMA)  # every use is under the lock
        self._changed = threading.Condition()
        self._is_closed = False

    def put(self, function_arn: str, event: object, *, after_s: float = 0.0) -> int:
        """Accept an event that is due after a while; return its id. It is on disk when this returns."""
        now_s = time.time()
        row = (str(uuid.uuid4()), function_arn, json.dumps(event), now_s, now_s + after_s)
        statement = "INSERT INTO invocation (request_id, function_arn, event, accepted_s, due_s) VALUES (?, ?, ?, ?, ?)"
        with self._changed:
            accepted = self._database.execute(statement, row)
            self._changed.notify_all()
            return accepted.lastrowid or 0

    def reschedule(self, invocation_id: int, *, after_s: float) -> None:
        """Change the time at which a waiting event is due; do nothing if it does not wait any more."""
        statement = "UPDATE invocation SET due_s = ? WHERE id = ? AND is_running = 0"
        with self._changed:
            self._database.execute(statement, (time.time() + after_s, invocation_id))
            self._changed.notify_all()

    def take(self) -> Invocation | None:
        """Wait for the next event that is due, and mark it as being handled; return None once the queue is closed."""
        with self._changed:
            while not self._is_closed:
                row = self._database.execute(
                    "SELECT id, request_id, function_arn, event, accepted_s, attempts, due_s FROM invocation"
                    " WHERE is_running = 0 ORDER BY due_s, id LIMIT 1"
                ).fetchone()
                if row and row[6] <= time.time():
                    self._database.execute("UPDATE invocation SET is_running = 1 WHERE id = ?", row[:1])
                    return Invocation(row[0], row[1], row[2], json.loads(row[3]), row[4], row[5])
                self._changed.wait(row[6] - time.time() if row else None)
        return None

    def remove(self, invocation: Invocation) -> None:
        """Remove a finished event."""
        with self._changed:
            if not self._is_closed:
                self._database.execute("DELETE FROM invocation WHERE id = ?", (invocation.id,))

    def put_back(self, invocation: Invocation, *, after_s: float, attempts: int) -> None:
        """Let an event wait for its next attempt."""
        with self._changed:
            if not self._is_closed:
                self._database.execute(
                    "UPDATE invocation SET is_running = 0, due_s = ?, attempts = ? WHERE id = ?",
                    (time.time() + after_s, attempts, invocation.id),
                )
                self._changed.notify_all()

    def __len__(self) -> int:
        """Return how many events wait or are being handled."""
        with self._changed:
            count: int = self._database.execute("SELECT count(*) FROM invocation").fetchone()[0]
            return count

    def close(self) -> None:
        """Close the file; events that are being handled are handled again after the next start."""
        with self._changed:
            if not self._is_closed:
                self._is_closed = True
                self._database.close()
                self._changed.notify_all()
