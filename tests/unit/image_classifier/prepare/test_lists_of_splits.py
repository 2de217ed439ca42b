"""Checks lists that say the split of their images, and lists of labels among the files of a folder."""

import pytest

from image_classifier.classifier import Classifier
from image_classifier.classifier.source import Columns
from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.sources import folders_and_lists
from image_classifier.prepare.sources.lists.label_lists import label_lists, list_names
from image_classifier.prepare.sources.lists.rows import read_list
from image_classifier.prepare.sources.lists.splits import split_of_list, split_of_text, splits_of_folders
from image_classifier.prepare.sources.opening import open_source
from image_classifier.prepare.sources.source import File, Files

LABELLED = {"path": "image", "label": "kind"}


def rows(text, **columns):
    return read_list(text.encode(), name="l.csv", columns=Columns(**columns)).rows


def of(layout):
    return {image.name: (image.class_name, image.split) for image in layout.images}


IMAGES = dict.fromkeys(("train/1.png", "train/2.png", "test/1.png", "test/2.png"), "")


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train.csv", "train"),
        ("trainLabels.csv", "train"),
        ("Test.csv", "test"),
        ("fairface_label_val.csv", "validation"),
        ("valid/_classes.csv", "validation"),
        ("test/labels/metadata.jsonl", "test"),
        ("test/train.csv", "train"),
        ("annotations/trainval.txt", "train"),
        ("testlist01.txt", "test"),
        ("labels.csv", None),
        ("train_and_test.csv", None),
        ("contest.csv", None),
    ],
)
def test_a_list_s_split_is_in_its_name_or_in_the_nearest_folder(name, split):
    assert split_of_list(name) == split


@pytest.mark.parametrize(("text", "split"), [("PublicTest", "test"), ("Training", "train"), ("dev", "validation")])
def test_a_column_s_value_may_be_two_words(text, split):
    assert split_of_text(text) == split


def test_a_column_is_of_splits_if_its_values_are():
    assert [row.split for row in rows("path,label,usage\n1,a,Train\n2,b,Test\n")] == ["train", "test"]


def test_a_column_of_many_names_with_split_words_is_of_names():
    text = "path,label,id\n" + "".join(f"{at}.png,a,train_{at}\n" for at in range(9))

    assert {row.split for row in rows(text)} == {None}


@pytest.mark.parametrize("text", ["path,label\n1,train\n2,test\n", "path,kind\n1,train\n2,test\n"])
def test_a_label_that_is_called_as_a_split_remains_a_label(text):
    columns = {"label": "kind"} if "kind" in text else {}

    assert [(row.label, row.split) for row in rows(text, **columns)] == [
        ("train", None),
        ("test", None),
    ]


def test_a_list_of_paths_in_split_folders_keeps_these_splits(layout):
    text = "path,label\ntrain/1.png,a\ntrain/2.png,b\ntest/1.png,a\ntest/2.png,b\n"

    assert layout({**IMAGES, "l.csv": text}, "l.csv").splits == ("train", "test")


def test_a_list_of_one_split_s_folder_has_no_splits(layout):
    text = "path,label\ntest/1.png,a\ntest/2.png,b\n"

    assert layout({**IMAGES, "l.csv": text}, "l.csv").splits == ()


def test_folders_that_all_images_share_say_no_split():
    shared, other = "s3://train-bucket/test/1.png", "s3://train-bucket/cats/1.png"

    assert splits_of_folders([shared, other]) == [None, None]
    assert splits_of_folders([shared, "s3://train-bucket/training/2.png"]) == ["test", "train"]


def test_the_list_of_a_split_means_the_images_of_that_split(layout):
    lists = {"train.csv": "image,kind\n1,a\n2,b\n", "test.csv": "image,kind\n2,a\n1,b\n"}

    found = layout({**IMAGES, **lists}, columns=LABELLED)

    assert of(found) == {
        "train/1.png": ("a", None),
        "train/2.png": ("b", None),
        "test/2.png": ("a", "test"),
        "test/1.png": ("b", "test"),
    }
    assert of(layout({}, "test.csv", columns=LABELLED)) == {"test/2.png": ("a", None), "test/1.png": ("b", None)}


def test_a_row_whose_image_is_not_there_is_listed_to_be_rejected(layout):
    text = "image,kind\ntrain/1.png,a\ntrain/2.png,b\n../up/3.png,b\n"

    assert of(layout({**IMAGES, "l.csv": text}, columns=LABELLED))["up/3.png"] == ("b", None)


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ("1,a\n2,b\n", "1,b\n2,b\n", "'train/1.png' is in 'a' by the list 'one.csv', and in 'b' by 'two.csv'"),
        ("1,a\n2,b\n", "1,a\n2,a\n", r'`exclude: \["two.csv"\]`'),
    ],
)
def test_lists_that_contradict_each_other_are_refused(layout, one, other, said):
    images = {"train/1.png": "", "train/2.png": ""}

    with pytest.raises(DatasetError, match=said):
        layout({**images, "one.csv": f"image,kind\n{one}", "two.csv": f"image,kind\n{other}"}, columns=LABELLED)


def test_a_second_list_may_give_the_splits(layout):
    lists = {"all.csv": "image,kind\n1,a\n2,b\n3,a\n", "test.csv": "image,kind\n3,a\n"}
    images = dict.fromkeys(("i/1.png", "i/2.png", "i/3.png"), "")

    assert of(layout({**images, **lists}, columns=LABELLED)) == {
        "i/1.png": ("a", None),
        "i/2.png": ("b", None),
        "i/3.png": ("a", "test"),
    }


def test_columns_of_a_folder_without_a_list_are_refused(layout):
    with pytest.raises(DatasetError, match=r"no list in folder .* names its images"):
        layout({"a/1.png": "", "b/1.png": ""}, columns=LABELLED)


def test_a_list_of_which_most_images_are_missing_is_read(layout):
    rows = "".join(f"{at},{'ab'[at % 2]}\n" for at in range(1, 9))

    assert len(layout({**IMAGES, "train.csv": f"image,kind\n{rows}"}, columns=LABELLED).images) == 8


def test_a_split_s_column_that_no_list_has_is_refused(layout):
    with pytest.raises(DatasetError, match=r"No list in folder .* has the columns 'label', 'part': 'l.csv' has 'path'"):
        layout({**IMAGES, "l.csv": "path,label\ntrain/1.png,a\n"}, columns={"label": "label", "split": "part"})


def test_too_many_lists_are_refused(layout, monkeypatch):
    monkeypatch.setattr(folders_and_lists, "MOST_LISTS", 1)

    with pytest.raises(DatasetError, match=r"2 files of folder .* may be lists .* `exclude`"):
        layout({**IMAGES, "l.csv": "", "m.csv": ""}, columns=LABELLED)


def test_test_images_of_hugging_face_may_have_no_labels(layout):
    lists = {
        "train/metadata.csv": "file_name,label\n1.png,a\n2.png,b\n",
        "test/metadata.csv": "file_name\n1.png\n2.png\n",
    }

    found = layout({**IMAGES, **lists})

    assert of(found) == {"train/1.png": ("a", None), "train/2.png": ("b", None)}
    assert "'test/metadata.csv' have other columns or no labels" in found.warnings[0]


def test_texts_that_annotate_an_image_and_samples_are_no_lists():
    names = ("a/1.png", "labels/1.txt", "a/1.json", "sample_submission.csv", ".hidden.csv", "all.txt", "b/l.csv")

    assert list_names(Files(map(File, names))) == ["all.txt", "b/l.csv"]


def test_lists_that_cannot_be_read_are_no_lists_of_labels(layout, tmp_path):
    found = layout({"a/1.png": "", "b/2.png": "", "l.json": "[1", "m.csv": 'x,"y\n', "n.txt": ""})

    assert (found.classes, found.warnings) == (("a", "b"), ())
    classifier = Classifier(name="pets", source=str(tmp_path))
    source = open_source(classifier, s3=None, data_folder=tmp_path)
    assert label_lists(source, source.files()) == ()
