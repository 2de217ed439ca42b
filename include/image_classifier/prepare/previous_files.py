"""Keeps what the previous version says about files: many facts in a temporary database, found by name or content."""

import sqlite3
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

from image_classifier.prepare.inspection.inspector import Facts
from image_classifier.prepare.layout.images import Listed
from image_classifier.prepare.spool import packed, unpacked

ADDED_AT_ONCE: Final = 1000
_SETUP: Final = """
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    CREATE TABLE file (name BLOB, stamp TEXT, sha256 TEXT, packed BLOB);
"""


class PreviousFiles:
    """The facts about files; all are added before the first is looked for. Of equal names or contents the last counts.

    The database has no name: SQLite keeps a small one in memory and a large one in a file that nobody else can open.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        weakref.finalize(self, self._database.close)
        self._database.executescript(_SETUP)
        self._indexed = set[str]()
        self._lock = Lock()  # not every build of SQLite lets threads share a database
        self._waiting: list[tuple[bytes | None, str | None, str, bytes]] = []

    def add(self, image: Listed, facts: Facts) -> None:
        """Add a file; without a stamp it is only found by its content.

        Raises:
            OSError: the disk of temporary files is full.

        """
        name, stamp = (_bytes(image.name), image.stamp) if image.stamp else (None, None)
        self._waiting.append((name, stamp, facts.sha256, packed(image, facts)))
        if len(self._waiting) >= ADDED_AT_ONCE:
            self._write()

    def by_name(self, name: str) -> tuple[Listed, Facts] | None:
        """Return the file of this name as the source listed it, and its facts; may be called from many threads."""
        self._index("name")
        return self._last("name", _bytes(name))

    def by_stamp(self, stamp: str) -> Facts | None:
        """Return the facts of a file with this stamp."""
        self._index("stamp")
        found = self._last("stamp", stamp)
        return found and found[1]

    def by_content(self, sha256: str) -> Facts | None:
        """Return the facts of a file with these bytes."""
        self._index("sha256")
        found = self._last("sha256", sha256)
        return found and found[1]

    def _index(self, column: str) -> None:
        """Make an index of a column, once."""
        if column in self._indexed:
            return
        with self._lock, _naming_the_folder():
            self._write()
            self._database.execute(f"CREATE INDEX IF NOT EXISTS by_{column} ON file ({column})")
            self._indexed.add(column)

    def _write(self) -> None:
        with _naming_the_folder():
            self._database.execute("BEGIN")
            self._database.executemany("INSERT INTO file VALUES (?, ?, ?, ?)", self._waiting)
            self._database.execute("COMMIT")
        self._waiting.clear()

    def _last(self, column: str, value: str | bytes) -> tuple[Listed, Facts] | None:
        query = f"SELECT packed, sha256 FROM file WHERE {column} = ? ORDER BY rowid DESC LIMIT 1"  # noqa: S608 - ours
        with self._lock:
            found = self._database.execute(query, (value,)).fetchone()
        return unpacked(*found) if found else None


@contextmanager
def _naming_the_folder() -> Iterator[None]:
    """Raise an OSError that names the folder if the database cannot grow, as a file does on a full disk."""
    try:
        yield
    except sqlite3.OperationalError as error:
        folder = tempfile.gettempdir()
        raise OSError(f"The facts of the version before cannot be written to a file in {folder}: {error}") from error


def _bytes(name: str) -> bytes:
    """Return a name as bytes: SQLite refuses text that is not Unicode, as names of files may be."""
    return name.encode(errors="surrogatepass")
