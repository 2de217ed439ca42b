"""What a source of labelled images is: files by name, and their bytes."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class File:
    """A file of a listing, or a folder.

    Attributes:
        name: below the source; a folder's ends with a slash.
        stamp: another one if the content is another: an ETag, or size and time of change; empty for a folder.

    """

    name: str
    stamp: str = ""


class Source(Protocol):
    """Labelled images in folders."""

    @property
    def where(self) -> str:
        """What a person calls the source."""

    def files(self) -> list[File]:
        """Every file and, with a slash at its end, every folder below the source; '/' separates."""

    def read(self, name: str, *, limit_bytes: int, stamp: str = "") -> bytes:
        """A file's bytes, of a longer one the first ``limit_bytes``.

        Raises:
            ImageRejectedError: it cannot be read, or is no longer what was listed with that stamp.

        """
