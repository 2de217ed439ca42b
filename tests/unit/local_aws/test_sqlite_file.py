"""Checks that a file that is no database is named with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_aws import sqlite_file
from local_aws.errors import DamagedStateError

TABLES = "CREATE TABLE IF NOT EXISTS t (a TEXT);"


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "events.sqlite3").write_bytes(b"no database" * 1000)

    with pytest.raises(DamagedStateError, match=r"events\.sqlite3 cannot be read .* remove the file"):
        sqlite_file.open_file(tmp_path / "events.sqlite3", TABLES)


def test_a_file_that_cannot_be_opened_is_not_to_be_removed(tmp_path: Path) -> None:
    (tmp_path / "events.sqlite3").mkdir()

    with pytest.raises(DamagedStateError, match=r"cannot be opened \(unable to open database file\)\.$"):
        sqlite_file.open_file(tmp_path / "events.sqlite3", TABLES)
