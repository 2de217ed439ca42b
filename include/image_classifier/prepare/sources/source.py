"""Defines the interface of a source of labelled images: files by name, and their bytes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Protocol, Self, overload

from image_classifier.prepare.sources.texts import Texts

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


class Files(Sequence[File]):
    """Files in columns; one is made when it is asked for.

    Attributes:
        names, stamps: of the files.

    """

    def __init__(self, files: Iterable[File] = ()) -> None:
        """Read the files."""
        self.names, self.stamps = list[str](), Texts()
        for file in files:
            self.names.append(file.name)
            self.stamps.append(file.stamp)

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self.names)

    @overload
    def __getitem__(self, at: int) -> File: ...
    @overload
    def __getitem__(self, at: slice) -> list[File]: ...
    def __getitem__(self, at: int | slice) -> File | list[File]:
        """Return a file, or some of the files."""
        if isinstance(at, slice):
            return [self[place] for place in range(*at.indices(len(self)))]
        return File(self.names[at], self.stamps[at])

    def __iter__(self) -> Iterator[File]:
        """Yield the files."""
        return map(File, self.names, self.stamps)

    def chosen(self, is_chosen: Callable[[str], bool]) -> Self:
        """Return the files with some of the names in alphabetical order."""
        places = [at for at, name in enumerate(self.names) if is_chosen(name)]
        if len(places) == len(self) and all(name <= after for name, after in pairwise(self.names)):
            return self
        return type(self)(map(self.__getitem__, sorted(places, key=self.names.__getitem__)))


def is_reliable(name: str, stamp: str) -> bool:
    """Return whether a change of the file would change its stamp; folders have none."""
    return name.endswith("/") or (bool(stamp) and not stamp.endswith(RACY))


class Source(Protocol):
    """Labelled images in folders."""

    @property
    def where(self) -> str:
        """Return the source's name for messages."""

    def files(self) -> Files:
        """Return every file and, with a slash at its end, every folder below the source; '/' is the separator."""

    def read(self, name: str, *, limit_bytes: int, stamp: str = "") -> bytes:
        """Return a file's bytes, at most the first ``limit_bytes``.

        Raises:
            ImageRejectedError: the file cannot be read, or its stamp has changed.

        """
