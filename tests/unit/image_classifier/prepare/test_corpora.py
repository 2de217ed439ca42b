"""Checks public data sets as they look when unzipped: what a person tries, and what the refusal's advice leads to."""

from collections import Counter
from pathlib import Path

import pytest
from tests.unit.odd_trees.corpora import (
    class_folders,
    competitions,
    labelling_tools,
    lists,
    more_folders,
    more_lists,
    other_tasks,
    packed,
    renamed_splits,
    shapes,
    split_folders,
    split_lists,
    wrapped_folders,
)

from image_classifier.classifier import Classifier
from image_classifier.classifier.source import is_list
from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.preparation import Preparation, list_images
from image_classifier.prepare.sources.opening import open_source
from image_classifier.prepare.stores import NoStore

FOLDERS = (class_folders, wrapped_folders, split_folders, renamed_splits, more_folders)
MODULES = (*FOLDERS, lists, split_lists, more_lists, labelling_tools, competitions, other_tasks, packed, shapes)
CORPORA = {name: corpus for module in MODULES for name, corpus in module.CORPORA.items()}


BUCKET = "pictures"
IN_S3 = (
    "Kaggle PetImages",
    "malaria",
    "COVID-19 Radiography",
    "Tiny ImageNet",
    "chest X-ray",
    "HAM10000",
    "CIFAR-10 of Kaggle",
    "ISIC 2019",
    "IDRiD grading",
    "Vertex AI import file",
    "Oxford-IIIT Pet",
    "OCT2017 with a blank",
    "Hugging Face metadata.jsonl of each split",
    "Roboflow multi-class CSV",
    "train_labels.csv and test_labels.csv",
    "RVL-CDIP",
    "GTSRB with Train.csv and Test.csv",
    "Food-101 with both lists",
    "iWildCam",
    "breast ultrasound with masks",
    "Rekognition manifest",
)


def prepared(source, options, s3=None):
    """Return the data set and the preparation of a source."""
    shape = {"image_shape": "3,32,32", "num_layers": 20}
    classifier = Classifier(name="corpus", source=source, hyperparameters=shape, test_fraction=0, **options)
    opened = open_source(classifier, s3=s3, data_folder=Path("/"))
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


def verdict(source, options, s3=None):
    """Return the refusal, or what is read, without the place of the source."""
    try:
        dataset, preparation = prepared(source, options, s3)
    except DatasetError as error:
        return str(error)
    layout, report = preparation.layout, preparation.report(dataset)
    images = [(one.name, one.class_name, one.split) for one in layout.images]
    return layout.classes, layout.splits, layout.ignored, images, report["counts"], report["warnings"]


def renamed(verdict, folders):
    """Return a refusal, or each part of what is read, with the places renamed."""
    if isinstance(verdict, str):
        for there, here in folders.items():
            verdict = verdict.replace(there, here)
        return verdict
    return (*verdict[:-1], [renamed(warning, folders) for warning in verdict[-1]])


@pytest.mark.parametrize("name", IN_S3)
def test_the_verdict_is_the_same_in_s3(name, tmp_path, s3):
    corpus, folder = CORPORA[name], tmp_path / "unzipped"
    corpus.build(folder)
    for file in folder.rglob("*"):
        if file.is_file():
            s3.put_object(Bucket=BUCKET, Key=f"sets/{file.relative_to(folder)}", Body=file.read_bytes())

    for step in corpus.steps:
        ending = "" if is_list(step.source) or not step.source else "/"
        address = f"s3://{BUCKET}/sets/{step.source}{ending}"
        here, there = verdict(str(folder / step.source), step.options), verdict(address, step.options, s3)
        folders = {
            f"prefix {address}": f"folder {folder / step.source}",
            f"source` be {address}": f"source` be {folder / step.source}",
            f"s3://{BUCKET}/sets": str(folder),
        }
        assert renamed(there, folders) == here


def test_there_are_as_many_data_sets_as_are_promised():
    assert len(CORPORA) >= 250
