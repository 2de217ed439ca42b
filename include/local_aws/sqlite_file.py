"""Opens a SQLite file in which each change is durable as soon as its statement has returned."""

import sqlite3
from pathlib import Path

from local_aws.errors import DamagedStateError


def open_file(file: Path, tables: str) -> sqlite3.Connection:
    """Open a file, which is created with its folder if it does not exist.

    A finished statement is in the kernel's buffers: it survives a killed process, not a power cut. The connection may
    be used from any thread, one at a time.

    Args:
        file: the path of the database.
        tables: SQL that creates the tables if they do not exist.

    Raises:
        DamagedStateError: the file cannot be opened, or is no database.

    """
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(tables)
    except sqlite3.OperationalError as error:  # such as a full disk
        raise DamagedStateError(f"The state in {file} cannot be opened ({error}).") from error
    except sqlite3.DatabaseError as error:
        raise DamagedStateError(
            f"The state in {file} cannot be read ({error}); remove the file to start without it."
        ) from error
    return connection
