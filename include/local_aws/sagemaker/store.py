"""Stores resources as JSON documents, and tags, in one SQLite file.

There is one connection behind one lock, so there is a single writer. Every change is committed before it is answered.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from local_aws import sqlite_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from local_aws.sagemaker.documents import Document


D = TypeVar("D")

_TABLES = """
CREATE TABLE IF NOT EXISTS resource (kind TEXT, name TEXT, document TEXT NOT NULL, PRIMARY KEY (kind, name));
CREATE TABLE IF NOT EXISTS tag (arn TEXT, key TEXT, value TEXT NOT NULL, PRIMARY KEY (arn, key));
"""


class Store:
    """Documents by kind and name; Describe answers with the stored document."""

    def __init__(self, file: Path) -> None:
        """Open `file`, which is created if it does not exist."""
        self._connection = sqlite_file.open_file(file, _TABLES)
        self._lock = threading.RLock()  # makes read-change-write one step

    def add(self, kind: str, name: str, document: Document) -> bool:
        """Store a new document; return False if one with that name exists."""
        with self._lock:
            cursor = self._connection.execute(
                "INSERT OR IGNORE INTO resource VALUES (?, ?, ?)", (kind, name, json.dumps(document))
            )
            return cursor.rowcount == 1

    def get(self, kind: str, name: str) -> Document | None:
        """Return the document, or None."""
        with self._lock:
            row = self._connection.execute(
                "SELECT document FROM resource WHERE kind = ? AND name = ?", (kind, name)
            ).fetchone()
        return json.loads(row[0]) if row else None

    def all(self, kind: str) -> list[Document]:
        """Return every document of a kind."""
        with self._lock:
            rows = self._connection.execute("SELECT document FROM resource WHERE kind = ?", (kind,)).fetchall()
        return [json.loads(row[0]) for row in rows]

    def change(self, kind: str, name: str, change: Callable[[Document], None]) -> Document | None:
        """Let `change` edit the document, in one step; return it, or None if it does not exist.

        What `change` raises leaves the document as it was.
        """
        with self._lock:
            document = self.get(kind, name)
            if document is None:
                return None
            change(document)
            self._connection.execute(
                "UPDATE resource SET document = ? WHERE kind = ? AND name = ?", (json.dumps(document), kind, name)
            )
            return document

    def remove(self, kind: str, name: str, *, arn: str) -> None:
        """Delete a resource and its tags."""
        with self._lock:
            self._connection.execute("DELETE FROM resource WHERE kind = ? AND name = ?", (kind, name))
            self._connection.execute("DELETE FROM tag WHERE arn = ?", (arn,))

    def tags(self, arn: str) -> dict[str, str]:
        """Return the tags of a resource, by key."""
        with self._lock:
            return dict(self._connection.execute("SELECT key, value FROM tag WHERE arn = ? ORDER BY key", (arn,)))

    def set_tags(self, arn: str, tags: dict[str, str]) -> None:
        """Add tags, or change their values."""
        with self._lock:
            rows = [(arn, key, value) for key, value in tags.items()]
            self._connection.executemany("INSERT OR REPLACE INTO tag VALUES (?, ?, ?)", rows)

    def remove_tags(self, arn: str, keys: list[str]) -> None:
        """Delete tags; a key that does not exist is no error."""
        with self._lock:
            self._connection.executemany("DELETE FROM tag WHERE arn = ? AND key = ?", [(arn, key) for key in keys])

    def close(self) -> None:
        """Close the file; the store cannot be used afterwards."""
        with self._lock:
            self._connection.close()


class Collection(Generic[D]):
    """The documents of one kind, whose type is `D`."""

    def __init__(self, store: Store, kind: str) -> None:
        """Use the documents in `store` whose kind is `kind`."""
        self._store = store
        self._kind = kind

    def add(self, name: str, document: D) -> bool:
        """Store a new document; return False if one with that name exists."""
        return self._store.add(self._kind, name, cast("Document", document))

    def get(self, name: str) -> D | None:
        """Return the document, or None."""
        return cast("D | None", self._store.get(self._kind, name))

    def existing(self, name: str, *, otherwise: Exception) -> D:
        """Return the document; raise ``otherwise`` if it does not exist."""
        document = self.get(name)
        if document is None:
            raise otherwise
        return document

    def all(self) -> list[D]:
        """Return every document."""
        return cast("list[D]", self._store.all(self._kind))

    def change(self, name: str, change: Callable[[D], None]) -> D | None:
        """Let `change` edit the document, in one step; return it, or None if it does not exist."""
        changed = self._store.change(self._kind, name, cast("Callable[[Document], None]", change))
        return cast("D | None", changed)
