"""Selects the test images on which two models can be compared: those that neither has learned from."""

from collections.abc import Iterable
from dataclasses import dataclass

FEWEST_COMPARED = 100  # with fewer images a candidate that is not shown to be worse is treated as a first model


@dataclass(frozen=True)
class Identity:
    """An image of a data set's version.

    Attributes:
        sha256: SHA-256 of the source file.
        group: SHA-256 of the first image of its group of near-duplicates; its own if it has none.

    """

    sha256: str
    group: str

    @property
    def names(self) -> frozenset[str]:
        return frozenset((self.sha256, self.group))


def eligible(test: Iterable[Identity], *, learned_from: Iterable[Identity]) -> frozenset[str]:
    """Return the SHA-256 of each test image such that neither model used it or a near-duplicate in train or validation.

    Args:
        test: the test images.
        learned_from: the train and validation images of both models' data sets.

    """
    known = {name for identity in learned_from for name in identity.names}
    return frozenset(identity.sha256 for identity in test if known.isdisjoint(identity.names))
