"""The files that describe classifiers: where they are, and how one is read."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from image_classifier.contracts.errors import ClassifierFileError

FOLDERS_VARIABLE = "IMAGE_CLASSIFIER_CLASSIFIERS"
SHIPPED_FOLDER = Path(__file__).parents[2] / "classifiers"


def classifier_folders(environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Where classifier files are: the folders of IMAGE_CLASSIFIER_CLASSIFIERS, or the one shipped beside the code."""
    listed = [Path(folder) for folder in environ.get(FOLDERS_VARIABLE, "").split(os.pathsep) if folder]
    return listed or [SHIPPED_FOLDER]


def classifier_files(folders: Iterable[Path]) -> list[Path]:
    """Every classifier file, sorted; reading one is left to the caller, so that a broken one stands alone."""
    return sorted(file for folder in folders for file in folder.glob("*.yaml"))


class _Loader(yaml.SafeLoader):
    """YAML keeps the last of two equal keys and says nothing; this refuses the second."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [self.construct_object(key, deep=True) for key, _ in node.value]
        if repeated := sorted({str(name) for name in names if names.count(name) > 1}):
            raise yaml.constructor.ConstructorError(None, None, f"{', '.join(repeated)} given twice", node.start_mark)
        return super().construct_mapping(node, deep=deep)


def read_file(path: Path) -> dict[str, Any]:
    """The fields of a classifier file.

    Raises:
        ClassifierFileError: the file cannot be read, is no YAML, gives a field twice, or holds no fields.

    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ClassifierFileError(f"{path} cannot be read as YAML: {error}. Fix that line.") from error
    if not isinstance(content, dict):
        raise ClassifierFileError(f"{path} holds {content!r}; it must hold fields, at least source: <folder>.")
    return content
