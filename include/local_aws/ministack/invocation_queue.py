"""Stores asynchronous invocations on disk until they are done, so that an accepted event survives the process."""

import heapq
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
    attempts INTEGER NOT NULL DEFAULT 0
);
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
    """A queue in order of arrival; events that were being handled at a kill are handled again (at least once).

    The file holds every event until it is removed; which of them wait, and until when, is in memory.
    """

    def __init__(self, file: Path) -> None:
        self._database = sqlite_file.open_file(file, _SCHEMA)  # every use is under the lock
        self._changed = threading.Condition()
        self._is_closed = False
        self._due_s: dict[int, float] = dict(self._database.execute("SELECT id, due_s FROM invocation"))
        self._next = [(due_s, number) for number, due_s in self._due_s.items()]  # also times that have been changed
        heapq.heapify(self._next)

    def put(self, function_arn: str, event: object, *, after_s: float = 0.0) -> int:
        """Accept an event that is due after a while; return its id. It is on disk when this returns."""
        now_s = time.time()
        row = (str(uuid.uuid4()), function_arn, json.dumps(event), now_s, now_s + after_s)
        statement = "INSERT INTO invocation (request_id, function_arn, event, accepted_s, due_s) VALUES (?, ?, ?, ?, ?)"
        with self._changed:
            number = self._database.execute(statement, row).lastrowid or 0
            self._wait(number, due_s=now_s + after_s)
            return number

    def reschedule(self, invocation_id: int, *, after_s: float) -> None:
        """Change the time at which a waiting event is due; do nothing if it does not wait any more."""
        due_s = time.time() + after_s
        with self._changed:
            if invocation_id in self._due_s:
                self._database.execute("UPDATE invocation SET due_s = ? WHERE id = ?", (due_s, invocation_id))
                self._wait(invocation_id, due_s=due_s)

    def take(self) -> Invocation | None:
        """Wait for the next event that is due; return None once the queue is closed."""
        with self._changed:
            while not self._is_closed:
                while self._next and self._due_s.get(self._next[0][1]) != self._next[0][0]:
                    heapq.heappop(self._next)
                wait_s = self._next[0][0] - time.time() if self._next else None
                if wait_s is not None and wait_s <= 0:
                    return self._taken(heapq.heappop(self._next)[1])
                self._changed.wait(wait_s)
        return None

    def remove(self, invocation: Invocation) -> None:
        """Remove a finished event."""
        with self._changed:
            if not self._is_closed:
                self._database.execute("DELETE FROM invocation WHERE id = ?", (invocation.id,))

    def put_back(self, invocation: Invocation, *, after_s: float, attempts: int) -> None:
        """Let an event wait for its next attempt."""
        due_s = time.time() + after_s
        with self._changed:
            if not self._is_closed:
                statement = "UPDATE invocation SET due_s = ?, attempts = ? WHERE id = ?"
                self._database.execute(statement, (due_s, attempts, invocation.id))
                self._wait(invocation.id, due_s=due_s)

    def _wait(self, number: int, *, due_s: float) -> None:
        self._due_s[number] = due_s
        heapq.heappush(self._next, (due_s, number))
        self._changed.notify()

    def _taken(self, number: int) -> Invocation:
        del self._due_s[number]
        self._changed.notify()  # another reader waits for the next one
        statement = "SELECT id, request_id, function_arn, event, accepted_s, attempts FROM invocation WHERE id = ?"
        row = self._database.execute(statement, (number,)).fetchone()
        return Invocation(row[0], row[1], row[2], json.loads(row[3]), row[4], row[5])

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
