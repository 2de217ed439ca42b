"""Which test images may be used to compare two models: those that neither has learned from."""

from collections.abc import Iterable
from dataclasses import dataclass

FEWEST_COMPARED = 100  # below, a comparison says nothing, and the candidate is treated as a first model


@dataclass(frozen=True)
class Identity:
    """An image of a data set's version.

    Attributes:
        sha256: of the source file.
        group: of near-duplicates, by the sha256 of its first image; an image alone is its own group.

    """

    sha256: str
    group: str

    @property
    def names(self) -> frozenset[str]:
        return frozenset((self.sha256, self.group))


def eligible(test: Iterable[Identity], *, learned_from: Iterable[Identity]) -> frozenset[str]:
    """The sha256 of each test image that neither model trained or validated on, nor on a near-duplicate of it.

    Args:
        test: the test images.
        learned_from: the train and validation images of both models' data sets.

    """
    known = {name for identity in learned_from for name in identity.names}
    return frozenset(identity.sha256 for identity in test if known.isdisjoint(identity.names))
