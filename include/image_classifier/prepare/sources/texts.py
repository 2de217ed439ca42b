"""Holds many short texts in a few bytes more than their characters; a text of its own takes 50 bytes more."""

from array import array
from collections.abc import Iterator
from itertools import islice


class Texts:
    """Texts by number, from 0."""

    def __init__(self) -> None:
        """Start empty."""
        self._bytes, self._ends = bytearray(), array("Q", [0])

    def append(self, text: str) -> None:
        """Add a text."""
        self._bytes += text.encode(errors="surrogatepass")
        self._ends.append(len(self._bytes))

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self._ends) - 1

    def __getitem__(self, at: int) -> str:
        """Return a text; a negative number counts from the end.

        Raises:
            IndexError: there is no such text.

        """
        number = at + len(self) if at < 0 else at
        if not 0 <= number < len(self):
            raise IndexError(at)
        return self._bytes[self._ends[number] : self._ends[number + 1]].decode(errors="surrogatepass")

    def __iter__(self) -> Iterator[str]:
        """Yield the texts."""
        start, found = 0, self._bytes
        for end in islice(self._ends, 1, None):
            yield found[start:end].decode(errors="surrogatepass")
            start = end
