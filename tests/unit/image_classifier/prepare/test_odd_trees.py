"""Checks the layout, the warnings or the refusal of folder trees as people, programs and archives make them."""

import json
import os

import pytest
from tests.unit.odd_trees.building import Tree, pets
from tests.unit.odd_trees.trees import READ, REFUSED

from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.layout.split_folders import is_image_name
from image_classifier.prepare.preparation import Preparation, list_images
from image_classifier.prepare.report import document
from image_classifier.prepare.sources.folder import FolderSource
from image_classifier.prepare.stores import NoStore

ALWAYS = (
    "Fewer than",
    "smaller than 32 pixels",
    "algorithm needs at least one full batch",
    "nearly of one colour",
    "black",
)


@pytest.fixture
def classifier():
    shape = {"image_shape": "3,32,32", "num_layers": 20}
    return Classifier(name="pets", source="images", hyperparameters=shape, test_fraction=0)


def listed(classifier, folder):
    source = FolderSource(folder)
    return source, list_images(classifier, source)


def inspected(classifier, source, layout):
    preparation = Preparation(classifier, source, layout, NoStore())
    dataset = preparation.dataset(layout.classes, on_progress=lambda line: None)
    return dataset, preparation.report(dataset), preparation


@pytest.mark.parametrize("name", READ)
def test_a_tree_has_the_layout_that_it_must_have(name, tmp_path, classifier):
    expected = READ[name]

    _, layout = listed(classifier, expected.tree.build(tmp_path))

    assert layout.classes == tuple(expected.classes)
    assert layout.splits == tuple(expected.splits)
    assert len(layout.images) == expected.images
    assert len(layout.ignored) == expected.ignored


@pytest.mark.parametrize("name", READ)
def test_a_tree_has_the_warnings_that_it_must_have(name, tmp_path, classifier):
    expected = READ[name]

    dataset, report, preparation = inspected(classifier, *listed(classifier, expected.tree.build(tmp_path)))

    said = [warning for warning in report["warnings"] if not any(word in warning for word in ALWAYS)]
    assert len(dataset.rejected) == expected.rejected
    for part in expected.warns:
        assert any(part in warning for warning in report["warnings"]), report["warnings"]
    if not expected.warns:
        assert said == []
    assert json.loads(document.dumps(report))["labels"] == list(expected.classes)
    assert preparation.page(dataset, report).decode()


@pytest.mark.parametrize("name", REFUSED)
def test_a_tree_that_is_no_data_set_is_refused(name, tmp_path, classifier, monkeypatch):
    expected = REFUSED[name]
    folder = expected.tree.build(tmp_path)
    if not expected.after_reading:
        read = FolderSource.read

        def of_texts(source, name, **given):
            return pytest.fail(f"read {name}") if is_image_name(name) else read(source, name, **given)

        monkeypatch.setattr(FolderSource, "read", of_texts)

    with pytest.raises(DatasetError) as caught:
        inspected(classifier, *listed(classifier, folder))

    for part in expected.says:
        assert part in str(caught.value)


ODD_NAMES = [name for name in READ if "names" in name or "name" in name.split()]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_pass_through_the_whole_preparation(name, settings, prepare, stored, manifest):
    expected = READ[name]
    expected.tree.build(settings.data_folder / "images")

    prepared = prepare()

    lines = manifest(prepared)
    assert len(lines) == expected.images
    keys = {line["key"] for line in lines.values()}
    assert keys <= stored().keys()
    assert all(key.isascii() and key.isprintable() for key in keys)
    labels = json.loads(stored()[prepared.report_key])["labels"]
    assert labels == list(expected.classes)
    again = prepare()
    assert (again.fingerprint, again.uploaded) == (prepared.fingerprint, 0)


def test_a_folder_that_may_not_be_read_is_refused_by_name(tmp_path, classifier, monkeypatch):
    folder, scandir = Tree(pets()).build(tmp_path), os.scandir

    def refuse(path):  # the rights of a folder do not bind the superuser, who runs the tests in a container
        if str(path).endswith("/dog"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)

    with pytest.raises(DatasetError, match=r"/dog cannot be listed: Permission denied\. Give the worker's user access"):
        listed(classifier, folder)


def test_there_are_as_many_trees_as_are_promised():
    assert len(READ) >= 25
    assert len(REFUSED) >= 20
