"""Checks the files of a new project: each is written once, and an unusable folder is refused before any is."""

import pytest

from image_classifier.account.project import write_project
from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import ClassifierFileError


def test_the_classifier_file_can_be_used_as_it_is(tmp_path):
    outcomes = dict(write_project(tmp_path, classifier="cats", source="s3://b/it's: #1/")).keys()

    assert outcomes == {"written"}
    assert Classifier.from_file(tmp_path / "classifiers/cats.yaml").source == "s3://b/it's: #1/"


def test_a_file_that_is_there_is_kept(tmp_path):
    mine = tmp_path / "classifiers/cats.yaml"
    mine.parent.mkdir()
    mine.write_text("source: mine\n")

    assert ("kept", mine) in list(write_project(tmp_path, classifier="cats", source="other"))
    assert mine.read_text() == "source: mine\n"


@pytest.mark.parametrize(("classifier", "source"), [("My Cats", "cats"), ("cats", "")])
def test_a_name_or_source_that_cannot_be_used_writes_nothing(tmp_path, classifier, source):
    with pytest.raises(ClassifierFileError, match="No project was written"):
        list(write_project(tmp_path, classifier=classifier, source=source))

    assert list(tmp_path.iterdir()) == []
