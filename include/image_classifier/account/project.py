"""Writes the Dag files and a first classifier file into a project that has installed the wheel."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import ClassifierFileError
from image_classifier.contracts.training.sentences import problems_of
from image_classifier.shipped import shipped

PHOTOGRAPHS = Path(__file__).with_name("photographs.yaml")


def write_project(folder: Path, *, classifier: str, source: str) -> Iterator[tuple[str, Path]]:
    """Write ``dags/`` and ``classifiers/<classifier>.yaml``; yield ``written`` or ``kept`` with each file.

    An existing file is never changed, so it may be called again, for example after an upgrade for new Dag files.

    Raises:
        ClassifierFileError: the classifier's name or source cannot be used; nothing has been written.

    """
    _check(classifier, source=source)
    files = {folder / "dags" / file.name: file.read_text() for file in sorted(shipped("dags").glob("*_dag.py"))}
    files[folder / "classifiers" / f"{classifier}.yaml"] = classifier_text(source)
    for file, text in files.items():
        if file.exists():
            yield "kept", file
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        yield "written", file


def _check(classifier: str, *, source: str) -> None:
    try:
        Classifier.model_validate({"name": classifier, "source": source})
    except ValidationError as error:
        raise ClassifierFileError(f"No project was written. {' '.join(problems_of(error))}") from error


def classifier_text(source: str) -> str:
    """Return the text of a classifier file for photographs; the shipped digits.yaml explains every field."""
    explained = shipped("classifiers") / "digits.yaml"
    return f"# Every field is explained in {explained}.\nsource: {source!r}\n{PHOTOGRAPHS.read_text()}"
