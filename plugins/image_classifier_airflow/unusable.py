"""Turns a classifier file that cannot be used into an import error of its own."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from airflow.exceptions import SerializationError
from airflow.sdk import DAG

if TYPE_CHECKING:
    from airflow.sdk.definitions.edges import EdgeInfoType


class UnusableClassifierFile(DAG):
    """Airflow's import error for one classifier file.

    A Dag file that raises loses all its Dags, and so does one with any import error under its own path: Airflow then
    marks every Dag of that path stale. But a Dag that cannot be serialized becomes an import error under the path that
    the Dag names, and its neighbours stay. So this one names the classifier file and refuses to be serialized.
    """

    def __init__(self, file: Path, error: Exception) -> None:
        """Keep the file to blame and the sentence to show."""
        self._file, self._error = str(file.resolve()), error
        super().__init__(f"unusable_{hashlib.sha256(self._file.encode()).hexdigest()[:16]}")

    @property
    def relative_fileloc(self) -> str:
        """The classifier's file."""
        return self._file

    @relative_fileloc.setter
    def relative_fileloc(self, _: str | None) -> None:
        """Airflow sets the Dag file's path here, which is not the file at fault."""

    @property
    def edge_info(self) -> "dict[str, dict[str, EdgeInfoType]]":
        """Raise, instead of an answer for the serializer."""
        raise SerializationError(f"{self._error}") from None

    @edge_info.setter
    def edge_info(self, _: object) -> None:
        """The parent's initializer sets it."""


def report_unusable(file: Path, error: Exception) -> None:
    """Make `error` the file's import error."""
    with UnusableClassifierFile(file, error):
        pass  # Airflow collects the Dags that were entered
