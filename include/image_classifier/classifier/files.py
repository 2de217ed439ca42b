"""Finds the files that describe classifiers, and reads one."""

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
ENDINGS = (".yaml", ".yml")  # in upper case too
MERGE = "tag:yaml.org,2002:merge"  # the key <<


def classifier_folders(environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Where classifier files are: the folders of IMAGE_CLASSIFIER_CLASSIFIERS, or the one shipped beside the code."""
    listed = [Path(folder) for folder in environ.get(FOLDERS_VARIABLE, "").split(os.pathsep) if folder]
    return listed or [SHIPPED_FOLDER]


def classifier_files(folders: Iterable[Path]) -> list[Path]:
    """Every classifier file, sorted; reading one is left to the caller, so that a broken one stands alone."""
    return sorted(file for folder in folders for file in folder.glob("*") if file.suffix.lower() in ENDINGS)


class _Loader(SafeLoader):
    """YAML keeps the last of two equal keys without a warning; this refuses the second.

    A field may repeat one that ``<<`` merges in: that is how YAML overrides it.
    """

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._checked: set[int] = set()  # merging adds the other mapping's keys to the node: look before it does

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
    """The fields of a classifier file.

    Raises:
        ClassifierFileError: the file cannot be read, is no YAML, gives a field twice, or holds no fields.

    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:  # ValueError: no UTF-8, the 31st of June
        raise ClassifierFileError(f"{path} cannot be read as YAML: {error}. Fix that line.") from error
    if not isinstance(content, dict):
        raise ClassifierFileError(f"{path} holds {content!r}; it must hold fields, at least source: <folder>.")
    return content
