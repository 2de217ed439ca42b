"""Checks public data sets as they look when unzipped: what a person tries, and what the refusal's advice leads to."""

from collections import Counter
from pathlib import Path

import pytest
from tests.unit.odd_trees.corpora import (
    class_folders,
    competitions,
    lists,
    other_tasks,
    renamed_splits,
    shapes,
    split_folders,
    wrapped_folders,
)

from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.preparation import Preparation, list_images
from image_classifier.prepare.sources.opening import open_source
from image_classifier.prepare.stores import NoStore

MODULES = (class_folders, wrapped_folders, split_folders, renamed_splits, lists, competitions, other_tasks, shapes)
CORPORA = {name: corpus for module in MODULES for name, corpus in module.CORPORA.items()}


def prepared(source, options):
    """Return the data set and the preparation of a source."""
    shape = {"image_shape": "3,32,32", "num_layers": 20}
    classifier = Classifier(name="corpus", source=source, hyperparameters=shape, test_fraction=0, **options)
    opened = open_source(classifier, s3=None, data_folder=Path("/"))
    preparation = Preparation(classifier, opened, list_images(classifier, opened), NoStore())
    return preparation.dataset(preparation.layout.classes, on_progress=lambda line: None), preparation


@pytest.mark.parametrize("name", CORPORA)
def test_a_public_data_set_is_read_or_refused_with_what_to_do(name, tmp_path):
    corpus, folder = CORPORA[name], tmp_path / "unzipped"
    corpus.build(folder)

    for step in corpus.steps:
        if step.does:
            step.does(folder)
        source = str(folder / step.source)
        if step.says:
            with pytest.raises(DatasetError) as caught:
                prepared(source, step.options)
            assert [part for part in step.says if part not in str(caught.value)] == [], str(caught.value)
            continue
        dataset, preparation = prepared(source, step.options)
        layout, warnings = preparation.layout, preparation.report(dataset)["warnings"]
        assert layout.classes == tuple(step.classes)
        assert Counter(image.split for image in layout.images) == step.images
        assert len(layout.ignored) == step.ignored
        assert [part for part in step.warns if not any(part in one for one in warnings)] == [], warnings


def test_there_are_as_many_data_sets_as_are_promised():
    assert len(CORPORA) >= 90
