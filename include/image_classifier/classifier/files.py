"""Finds classifier files, and reads one."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from image_classifier.contracts.errors import ClassifierFileError
from image_classifier.shipped import shipped

try:  # libyaml reads a file in a tenth of the time
    from yaml import CSafeLoader as SafeLoader
except ImportError:  # PyYAML was built without it
    from yaml import SafeLoader  # type: ignore[assignment]

FOLDERS_VARIABLE = "IMAGE_CLASSIFIER_CLASSIFIERS"
SHIPPED_FOLDER = shipped("classifiers")
ENDINGS = (".yaml", ".yml")  # compared in lower case
MERGE = "tag:yaml.org,2002:merge"  # YAML's merge key, <<


def classifier_folders(environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Return the folders in IMAGE_CLASSIFIER_CLASSIFIERS, or the folder include/classifiers if it is not set."""
    listed = [Path(folder) for folder in environ.get(FOLDERS_VARIABLE, "").split(os.pathsep) if folder]
    return listed or [SHIPPED_FOLDER]


def classifier_files(folders: Iterable[Path]) -> list[Path]:
    """Return the paths of all classifier files, sorted; none is read, so that a broken file affects only itself."""
    return sorted(file for folder in folders for file in folder.glob("*") if file.suffix.lower() in ENDINGS)


class _Loader(SafeLoader):
    """A YAML loader that refuses a repeated key; PyYAML's keeps the last one without a warning.

    A field may repeat one that ``<<`` merges in, because it overrides that one.
    """

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._checked: set[int] = set()  # checked before merging, which adds the other mapping's keys to the node

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        if id(node) not in self._checked:
            self._checked.add(id(node))
            self._refuse_repeated(node)
        super().flatten_mapping(node)

    def _refuse_repeated(self, node: yaml.MappingNode) -> None:
        names = ["<<" if key.tag == MERGE else self.construct_object(key, deep=True) for key, _ in node.value]
        if repeated := sorted({str(name) for name in names if names.count(name) > 1}):
            raise yaml.constructor.ConstructorError(None, None, f"{', '.join(repeated)} given twice", node.start_mark)


def read_file(path: Path) -> dict[str, Any]:
    """Return the fields of a classifier file.

    Raises:
        ClassifierFileError: the file cannot be read, is not YAML, repeats a field, or has no fields.

    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    except (
        OSError,
        ValueError,
        RecursionError,
        yaml.YAMLError,
    ) as error:  # ValueError: text that is not UTF-8, or a date such as the 31st of June
        raise ClassifierFileError(f"{path} cannot be read as YAML: {error}. Fix that line.") from error
    if not isinstance(content, dict):
        raise ClassifierFileError(f"{path} holds {content!r}; it must hold fields, at least source: <folder>.")
    return content
