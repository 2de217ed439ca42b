"""Defines the interface of a source of labelled images: files by name, and their bytes."""

from dataclasses import dataclass
from typing import Final, Protocol

RACY: Final = "~"  # ends the stamp of a file that was listed just after it had changed, and may change unnoticed


@dataclass(frozen=True, slots=True)
class File:
    """A file of a listing, or a folder.

    Attributes:
        name: path below the source; a folder's ends with a slash.
        stamp: a text that changes with the content: an ETag, or size and time of change; empty for a folder.

    """

    name: str
    stamp: str = ""


def is_reliable(file: File) -> bool:
    """Return whether a change of the file would change its stamp; folders have none."""
    return file.name.endswith("/") or (bool(file.stamp) and not file.stamp.endswith(RACY))


class Source(Protocol):
    """Labelled images in folders."""

    @property
    def where(self) -> str:
        """Return the source's name for messages."""

    def files(self) -> list[File]:
        """Return every file and, with a slash at its end, every folder below the source; '/' is the separator."""

    def read(self, name: str, *, limit_bytes: int, stamp: str = "") -> bytes:
        """Return a file's bytes, at most the first ``limit_bytes``.

        Raises:
            ImageRejectedError: the file cannot be read, or its stamp has changed.

        """
