"""Finds files beside images that are no images of the class, by their names: ``1_mask.png`` beside ``1.png``."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.layout.next_steps import leave_out
from image_classifier.prepare.layout.part_names import ANNOTATES
from image_classifier.prepare.layout.split_folders import Choice, few, is_image_name

LEAST_MASKS: Final = 0.1  # of the images; fewer may have such names by accident
LEAST_TWINS: Final = 0.4  # of the images; if each has one, it is a half
_MASK: Final = re.compile(rf"(.+?)([-._ (]+(?:{'|'.join(sorted(ANNOTATES))})[-._ 0-9)]*\.[a-z]+)", re.IGNORECASE)
_DIGIT: Final = re.compile("[0-9]")


def refuse_masks(names: Sequence[str], *, where: str, choice: Choice) -> None:
    """Refuse images with names of masks or annotations of other images in their folder.

    Args:
        names: of the files in class folders.
        where: the source's name in messages.
        choice: the layout that the folders have.

    Raises:
        DatasetError: the message has the patterns that leave them out.

    """
    masks = {name: found for name in names if is_image_name(name) and (found := _MASK.fullmatch(name))}
    of_masks = {found[1] for found in masks.values()}
    images = {stem: name for name in names if is_image_name(name) and (stem := _stem(name)) in of_masks}
    masks = {name: found for name, found in masks.items() if found[1] in images}
    if len(masks) <= LEAST_MASKS * len(names):
        return
    name, found = next(iter(masks.items()))
    patterns = '", "'.join(sorted({f"*{_DIGIT.sub('[0-9]', one[2])}" for one in masks.values()}))
    message = (
        f"{len(masks):,} files of {where} have names of masks or annotations of other images, as {name!r} beside "
        f"{images[found[1]]!r}. Leave them out {leave_out(patterns)}, or move them elsewhere. If they are images of "
        f"the class, put `layout: {choice}` there."
    )
    raise DatasetError(message)


def twins(names: Sequence[str]) -> Iterator[str]:
    """Warn of images that have another's name and a different ending, if they are nearly a half: they may be masks.

    Args:
        names: of the files in class folders, in alphabetical order.

    """
    found = [(one, other) for one, other in pairwise(filter(is_image_name, names)) if _stem(one) == _stem(other)]
    if len(found) > LEAST_TWINS * len(names):
        one, other = found[0]
        endings = few(sorted({f"*.{name.rpartition('.')[2]}" for name in found[0]}))
        yield (
            f"{len(found):,} images have the name of another one, as {other!r} beside {one!r}. If these are masks or "
            f"copies, leave them out by `exclude`, with one of the patterns {endings}."
        )


def _stem(name: str) -> str:
    return name.rpartition(".")[0]
