"""Renames and joins the classes of a source, as the classifier's file says."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.layout.split_folders import few


@dataclass(frozen=True)
class Renaming:
    """New names of classes.

    Attributes:
        names: the new name by class of the source; other classes keep their names.

    """

    names: Mapping[str, str] = field(default_factory=dict)

    def of(self, class_name: str) -> str:
        """Return the name of a class of the source."""
        return self.names.get(class_name, class_name)

    def check(self, found: Collection[str], *, where: str) -> None:
        """Check that the source has the classes.

        Raises:
            DatasetError: a class to rename does not exist.

        """
        if missing := sorted(self.names.keys() - set(found)):
            message = (
                f"The classes {few(missing)}, which `classes` of the classifier's file renames, are not in {where}; it "
                f"has {few(sorted(found))}. Correct `classes`."
            )
            raise DatasetError(message)

    @property
    def level(self) -> str:
        """The sentence about the new names, which is appended to the layout's; empty if there are none."""
        return f" The file renames {few(sorted(self.names))}." if self.names else ""
