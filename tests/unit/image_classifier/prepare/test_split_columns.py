"""Checks columns of lists whose values are not the names of splits, such as is_train, partition and fold."""

import re

import pytest
import yaml

from image_classifier.classifier.source import Columns
from image_classifier.contracts.errors import ClassifierFileError, DatasetError
from image_classifier.prepare.inspect_source import described
from image_classifier.prepare.sources.lists.rows import read_list

IMAGES = {f"{at}.png": "" for at in range(6)}


def table(column, *values):
    lines = [f"{at}.png,{'ab'[at % 2]},{value}" for at, value in enumerate(values)]
    return "\n".join([f"path,label,{column}", *lines])


def read(column, *values, **columns):
    return read_list(table(column, *values).encode(), name="l.csv", columns=Columns(**columns))


def line_in(message):
    return yaml.safe_load(re.search(r"put `columns: (.*)` into", message)[1])


@pytest.mark.parametrize(
    ("column", "values", "splits"),
    [
        ("is_train", "10", {1: "train", 0: "test"}),
        ("is_training_img", "10", {1: "train", 0: "test"}),
        ("isTest", "10", {1: "test", 0: "train"}),
        ("is_valid", ("True", "False"), {"True": "validation", "False": "train"}),
        ("is_val", ("1.0", "0.0"), {"1.0": "validation", "0.0": "train"}),
        ("test", ("yes", ""), {"yes": "test"}),
        ("eval_partition", "012", {0: "SPLIT", 1: "SPLIT", 2: "SPLIT"}),
        ("Fold", "12", {1: "SPLIT", 2: "SPLIT"}),
        ("Usage", ("Train", "Public"), {"Train": "train", "Public": "SPLIT"}),
        ("use", ("TRAIN", "UNASSIGNED", "TEST"), {"TEST": "test", "TRAIN": "train"}),
        ("part", ("train", "test", "extra"), {"train": "train", "test": "test", "extra": "SPLIT"}),
    ],
)
def test_a_column_that_looks_like_splits_is_named_with_the_line(column, values, splits):
    said = read(column, *values).unread_split

    assert said.startswith(f"The column {column!r} of l.csv looks like the authors' split and is not used")
    assert line_in(said) == {"split": column, "splits": splits}
    assert ("where SPLIT is train, validation or test" in said) == ("SPLIT" in splits.values())


def test_all_lines_are_looked_at_for_the_values_of_such_a_column():
    assert line_in(read("is_train", *("1" * 1500 + "0")).unread_split)["splits"] == {1: "train", 0: "test"}


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("is_train", "11"),
        ("test", ("blood", "urine")),
        ("fold", [str(at) for at in range(30)]),
        ("vehicle", ("train", "car")),
        ("dataset", "01"),
        ("split", ("train", "test")),
    ],
)
def test_other_columns_are_not_named(column, values):
    assert read(column, *values).unread_split == ""


def test_of_two_columns_that_of_the_test_split_is_named():
    assert line_in(read("is_train,is_test", "1,0", "0,1").unread_split)["split"] == "is_test"


def test_a_label_that_is_called_as_a_split_is_not_named():
    assert read("train", "1", "0", label="train").unread_split == ""


def test_the_file_says_which_split_a_value_means():
    assert [
        row.split
        for row in read(
            "fold", "0", "1.0", "2", "", split="fold", splits={0: "test", "1": "train", 2: "validation"}
        ).rows
    ] == [
        "test",
        "train",
        "validation",
        None,
    ]
    assert [
        row.split
        for row in read("is_train", "True", "false", split="is_train", splits={True: "train", False: "test"}).rows
    ] == [
        "train",
        "test",
    ]


@pytest.mark.parametrize(("columns", "none_of"), [({}, "none of dev, "), ({"splits": {"0": "train"}}, "none of 0. ")])
def test_a_value_that_is_no_split_is_refused_with_the_line(columns, none_of):
    with pytest.raises(DatasetError, match=rf"The split '1' in line . of l.csv is {none_of}") as caught:
        read("is_test", "1", "0", path="path", split="is_test", **columns)

    assert line_in(str(caught.value)) == {"path": "path", "split": "is_test", "splits": {0: "train", 1: "test"}}


def test_splits_without_their_column_are_refused():
    with pytest.raises(ClassifierFileError, match=r"name the column with columns\.split"):
        described("pets", {"source": "l.csv", "columns": {"splits": {0: "train"}}})


def test_the_line_that_a_warning_gives_uses_the_split(layout):
    files = {**IMAGES, "l.csv": table("is_test", *"000011")}
    (said,) = layout(files, "l.csv").warnings

    found = layout({}, "l.csv", columns=line_in(said))

    assert (found.splits, found.warnings) == (("train", "test"), ())
    assert {image.name for image in found.images if image.split == "test"} == {"4.png", "5.png"}


def test_the_lists_of_a_folder_are_read_with_that_line(layout):
    files = {**IMAGES, "l.csv": table("is_valid", *"000011")}
    said = layout(files, columns={"path": "path", "label": "label"}).warnings[0]

    assert layout({}, columns=line_in(said)).splits == ("train", "validation")


def test_a_list_of_splits_beside_class_folders_is_named_with_the_line(layout):
    images = {f"{'ab'[at % 2]}/{at}.png": "" for at in range(6)}
    lines = [f"{name},{at // 4}" for at, name in enumerate(images)]
    (said,) = layout({**images, "l.csv": "\n".join(["path,is_test", *lines])}).warnings
    columns = yaml.safe_load(re.search(r"put `columns: (.*)` into", said)[1])

    assert "To use their splits" in said
    assert layout({}, columns=columns).splits == ("train", "test")


def test_no_column_is_named_if_the_folders_say_the_split(layout):
    images = {f"{part}/{at}.png": "" for part in ("train", "test") for at in range(2)}
    lines = [f"{name},{'ab'[at % 2]},{at // 2}" for at, name in enumerate(images)]

    assert layout({**images, "l.csv": "\n".join(["path,label,is_test", *lines])}, "l.csv").warnings == ()
