"""Selects images by the patterns of a classifier's file, and renames and merges classes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.layout.folders import Layout, layout_of
from image_classifier.prepare.layout.split_folders import few
from image_classifier.prepare.sources.source import File


@dataclass(frozen=True)
class Selection:
    """The selection of a source's images, and the names of their classes.

    Attributes:
        include, exclude: patterns of `fnmatch` for paths below the source; ``*`` also matches slashes.
        classes: the source's classes by their new name; a class that is not named keeps its name.

    """

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    classes: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def chooses(self, name: str) -> bool:
        """Whether the patterns select a file."""
        if any(fnmatchcase(name, pattern) for pattern in self.exclude):
            return False
        return not self.include or any(fnmatchcase(name, pattern) for pattern in self.include)

    def files(self, files: Iterable[File], *, where: str) -> list[File]:
        """Return the selected files.

        Raises:
            DatasetError: no file is selected.

        """
        found = list(files)
        chosen = [file for file in found if self.chooses(file.name)]
        if found and not chosen:
            message = (
                f"Of {len(found):,} files in {where} none is left by include and exclude of the classifier's file."
            )
            raise DatasetError(f"{message} The first is {found[0].name!r}; `*` also stands for slashes.")
        return chosen

    def renamed(self, layout: Layout, *, where: str) -> Layout:
        """Return the layout with the classes of the classifier's file.

        Raises:
            DatasetError: a class to rename does not exist, or only one class is left.

        """
        if not self.classes:
            return layout
        names = {old: new for new, olds in self.classes.items() for old in olds}
        if missing := sorted(names.keys() - set(layout.classes)):
            message = (
                f"The classes {few(missing)}, which `classes` of the classifier's file renames, are not in {where}; it "
                f"has {few(layout.classes)}. Correct `classes`."
            )
            raise DatasetError(message)
        images = [replace(one, class_name=names.get(one.class_name, one.class_name)) for one in layout.images]
        changed = layout_of(images, where=where, level=f"{layout.level} The file renames {few(sorted(names))}.")
        return replace(layout, images=changed.images, classes=changed.classes, level=changed.level)
