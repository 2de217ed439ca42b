"""Reports a classifier file that cannot be used as a separate import error in Airflow."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from airflow.exceptions import SerializationError
from airflow.sdk import DAG

if TYPE_CHECKING:
    from airflow.sdk.definitions.edges import EdgeInfoType


class UnusableClassifierFile(DAG):
    """Airflow's import error for one classifier file.

    If a Dag file raises, or has an import error under its own path, Airflow marks all its Dags as stale. But a Dag that
    cannot be serialized becomes an import error under the path that the Dag names, and the file's other Dags stay. So
    this Dag names the classifier file and refuses to be serialized.
    """

    def __init__(self, file: Path, error: Exception) -> None:
        """Store the classifier file and the error message."""
        self._file, self._error = str(file.resolve()), error
        super().__init__(f"unusable_{hashlib.sha256(self._file.encode()).hexdigest()[:16]}")

    @property
    def relative_fileloc(self) -> str:
        """Return the classifier's file."""
        return self._file

    @relative_fileloc.setter
    def relative_fileloc(self, _: str | None) -> None:
        """Ignore the Dag file's path, which Airflow sets: it is not the file at fault."""

    @property
    def edge_info(self) -> "dict[str, dict[str, EdgeInfoType]]":
        """Raise the error when the serializer reads this property."""
        raise SerializationError(f"{self._error}") from None

    @edge_info.setter
    def edge_info(self, _: object) -> None:
        """Ignore the value that the parent's initializer sets."""


def report_unusable(file: Path, error: Exception) -> None:
    """Report `error` as the file's import error."""
    with UnusableClassifierFile(file, error):
        pass  # Airflow collects the Dags whose context was entered
