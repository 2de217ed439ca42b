"""Finds the files that a list means, if it writes their paths without endings or with other folders."""

import re
import unicodedata
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Final

from image_classifier.prepare.layout.split_folders import Split, is_image_name
from image_classifier.prepare.sources.lists.splits import split_of_folders

_SEPARATORS: Final = re.compile(r"[/\\=]+")  # = of addresses such as /data/local-files/?d=cats/1.jpg


class Images:
    """The image files of a place, by name."""

    def __init__(self, files: Iterable[str], *, wanted: Container[str] | None = None) -> None:
        """Index the files.

        Args:
            files: their paths.
            wanted: of which names, without endings; default: all.

        """
        self._by_stem: dict[str, str | list[str]] = {}
        for file in files:
            stem = stem_of(file)
            if not is_image_name(file) or (wanted is not None and stem not in wanted):
                continue
            known = self._by_stem.setdefault(stem, file)
            if isinstance(known, list):
                known.append(file)
            elif known is not file:
                self._by_stem[stem] = [known, file]

    def meant_by(self, path: str) -> Sequence[str]:
        """Return the files that a list's path may mean: several if it is ambiguous, none if there is no such file.

        The names are equal, or the path lacks the ending or writes it in another case. Of the folders above the file,
        those of the list's path and those of the place end alike: ``/data/cats/1.jpg`` is ``cats/1.jpg``, and ``1`` is
        any ``1.jpg``. If there is no such file, the folders may be in another case.
        """
        *folders, name = _parts(path) or [""]
        places = {file: _parts(file)[:-1] for file in self._named(name)}
        fitting = _closest(folders, places) or _closest(_lower(folders), {one: _lower(places[one]) for one in places})
        shortest = min(fitting, key=len, default="")
        is_repeated = all(file == shortest or file.endswith(f"/{shortest}") for file in fitting)
        return [shortest] if fitting and is_repeated else fitting

    def meant_in_split(self, path: str, split: Split | None) -> Sequence[str]:
        """Return the files that a path may mean in a list of a split: of several, those in folders of the split."""
        found = self.meant_by(path)
        return [one for one in found if split and split_of_folders(one) == split] or found

    def _named(self, name: str) -> Sequence[str]:
        found = self._by_stem.get(stem_of(name) if is_image_name(name) else name, [])
        files = [found] if isinstance(found, str) else found
        if not is_image_name(name):
            return files
        equal = [file for file in files if _parts(file)[-1] == name]
        return equal or [file for file in files if _parts(file)[-1].lower() == name.lower()]  # 1.JPG is listed as 1.jpg


def stem_of(path: str) -> str:
    """Return the name of a path's file without the ending of an image."""
    name = (_parts(path) or [""])[-1]
    return name.rpartition(".")[0] if is_image_name(name) else name


def _parts(path: str) -> list[str]:
    # The query of a web address is no name, but it may be the path, if the address has none: /files/?d=cats/1.jpg.
    if "://" in path and is_image_name(address := path.partition("?")[0]):
        path = address
    path = unicodedata.normalize("NFC", path)  # macOS writes é as two characters, other systems as one
    return [part for part in _SEPARATORS.split(path) if part not in ("", ".", "..")]


def _lower(folders: Sequence[str]) -> list[str]:
    return [folder.lower() for folder in folders]


def _closest(folders: Sequence[str], places: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the files whose folders end as these do: those with the most of them in common."""
    common = {file: _common_end(folders, above) for file, above in places.items() if _end_alike(folders, above)}
    most = max(common.values(), default=0)
    return [file for file, count in common.items() if count == most]


def _end_alike(one: Sequence[str], other: Sequence[str]) -> bool:
    return _common_end(one, other) == min(len(one), len(other))


def _common_end(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many folders at the end of two paths are equal."""
    count = 0
    for left, right in zip(reversed(one), reversed(other), strict=False):
        if left != right:
            break
        count += 1
    return count
