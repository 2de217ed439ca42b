"""Checks what is said of the lists of other splits beside a list that is the source."""

import re

import pytest
import yaml

from image_classifier.classifier import Classifier
from image_classifier.prepare.preparation import list_images
from image_classifier.prepare.sources.opening import open_source

BUCKET = "pictures"
IMAGES = {f"{at}.png": "" for at in range(4)}
LISTED = "path,label\n0.png,a\n1.png,b\n"
OTHERS = "path,label\n2.png,a\n3.png,b\n"


def use(warning):
    found = re.search(r"let `source` be (\S+) \(.*`columns: (.*)` into", warning)
    return {"source": found[1], "columns": yaml.safe_load(found[2])}


@pytest.mark.parametrize(
    ("source", "other", "columns"),
    [
        ("train.csv", "test.csv", {}),
        ("train.csv", "valid.csv", {}),
        ("Train.csv", "Test.csv", {}),
        ("TRAIN.csv", "VAL.csv", {}),
        ("trainLabels.csv", "testLabels.csv", {}),
        ("my_train_labels.csv", "my_test_labels.csv", {"label": "label"}),
        ("lists/train.csv", "lists/dev.csv", {"folder": ".."}),
        ("train/_classes.csv", "valid/_classes.csv", {"folder": ".."}),
    ],
)
def test_lists_of_other_splits_are_named_with_what_uses_them_all(layout, tmp_path, source, other, columns):
    (said,) = layout({**IMAGES, source: LISTED, other: OTHERS}, source, columns=columns).warnings
    found = layout({}, **use(said))

    assert use(said) == {"source": str(tmp_path), "columns": {"path": "path", "label": "label", **columns}}
    assert len(found.images) == 4
    assert set(found.splits) > {"train"}
    assert found.warnings == ()


def test_a_test_list_that_is_used_alone_is_said_to_be(layout):
    (said,) = layout({**IMAGES, "train.csv": LISTED, "test.csv": OTHERS}, "test.csv").warnings

    assert "'train.csv' (train)" in said


def test_a_list_without_a_header_is_used_by_numbers(layout):
    files = {"train.txt": "0.png a\n1.png b\n", "test.txt": "2.png a\n3.png b\n"}
    (said,) = layout({**IMAGES, **files}, "train.txt").warnings

    assert use(said)["columns"] == {"path": 0, "label": 1}
    assert layout({}, **use(said)).splits == ("train", "test")


@pytest.mark.parametrize(
    ("source", "files"),
    [
        ("train.csv", {"test.csv": "path\n2.png\n3.png\n"}),
        ("train.csv", {"test.csv": "", "testing.txt": OTHERS}),
        ("train.csv", {"train_2.csv": OTHERS}),
        ("all.csv", {"test.csv": OTHERS}),
        ("train_test.csv", {"train_val.csv": OTHERS}),
    ],
)
def test_other_files_are_not_taken_for_lists_of_splits(layout, source, files):
    assert layout({**IMAGES, source: LISTED, **files}, source).warnings == ()


def test_a_list_of_a_split_that_the_list_has_itself_is_not_named(layout):
    text = "path,label,split\n0.png,a,train\n1.png,b,train\n2.png,b,test\n"

    assert layout({**IMAGES, "train.csv": text, "test.csv": text}, "train.csv").warnings == ()


@pytest.mark.parametrize("name", ["{}.lst", "{}.csv"])
def test_lists_that_no_folder_uses_are_to_be_written_as_one(layout, tmp_path, name):
    text = f"path,label\n{tmp_path}/0.png,a\n1.png,b\n" if name.endswith("csv") else "0\t0\t0.png\n1\t1\t1.png\n"
    files = {name.format("train"): text, name.format("val"): text}

    (said,) = layout({**IMAGES, **files}, name.format("train")).warnings
    assert "write one list of them, labels.csv with the columns path, label and split" in said


@pytest.mark.parametrize("prefix", ["", "raw/set/"])
def test_in_s3_the_prefix_of_the_lists_is_the_source(s3, tmp_path, prefix):
    for name, text in {**IMAGES, "train.csv": LISTED, "test.csv": OTHERS}.items():
        s3.put_object(Bucket=BUCKET, Key=prefix + name, Body=text.encode())

    def layout(source, **options):
        classifier = Classifier(name="pets", source=source, **options)
        return list_images(classifier, open_source(classifier, s3=s3, data_folder=tmp_path))

    (said,) = layout(f"s3://{BUCKET}/{prefix}train.csv").warnings

    assert use(said)["source"] == f"s3://{BUCKET}/{prefix}"
    assert layout(**use(said)).splits == ("train", "test")
