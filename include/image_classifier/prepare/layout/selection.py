"""Selects images by the patterns of a classifier's file, and renames and merges classes."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.layout.renaming import Renaming
from image_classifier.prepare.sources.source import Files


@dataclass(frozen=True)
class Selection:
    """The selection of a source's images, and the names of their classes.

    Attributes:
        include, exclude: patterns of `fnmatch` for paths below the source, in Unicode's composed form as in the
            classifier's file; ``*`` also matches slashes.
        renaming: the new names of classes.

    """

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    renaming: Renaming = field(default_factory=Renaming)

    def chooses(self, name: str) -> bool:
        """Return whether the patterns select a file."""
        composed = unicodedata.normalize("NFC", name)
        if any(fnmatchcase(composed, pattern) for pattern in self.exclude):
            return False
        return not self.include or any(fnmatchcase(composed, pattern) for pattern in self.include)

    def files(self, files: Files, *, where: str) -> Files:
        """Return the selected files.

        Raises:
            DatasetError: no file is selected.

        """
        if not (self.include or self.exclude):
            return files
        chosen = Files(file for file in files if self.chooses(file.name))
        if files and not chosen:
            message = (
                f"Of {len(files):,} files in {where} none is left by include and exclude of the classifier's file."
            )
            raise DatasetError(f"{message} The first is {files.names[0]!r}; `*` also stands for slashes.")
        return chosen
