"""Checks what is said of files that hold the authors' split in a form that is not read."""

import subprocess
from pathlib import Path

import pytest

from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.preparation import list_images
from image_classifier.prepare.sources.opening import open_source

BIRDS = ("001.Auk/Auk_1.jpg", "001.Auk/Auk_2.jpg", "002.Crow/Crow_1.jpg", "002.Crow/Crow_2.jpg")
NUMBERED = {
    "images.txt": "".join(f"{number} {bird}\n" for number, bird in enumerate(BIRDS, start=1)),
    "train_test_split.txt": "1 1\n2 0\n3 1\n4 0\n",
}


def images(folder=""):
    return dict.fromkeys([folder + bird for bird in BIRDS], "")


def command_in(message):
    return message.partition("run `")[2].partition("`")[0]


@pytest.mark.parametrize("folder", ["", "images/"])
def test_the_command_for_a_numbered_split_makes_a_list_that_is_read(layout, tmp_path, folder):
    try:
        said = layout({**images(folder), **NUMBERED}).warnings[0]
    except DatasetError as error:
        said = str(error)
    subprocess.run(["/bin/sh", "-c", command_in(said)], cwd=tmp_path, check=True)

    assert f"`source` to {tmp_path}/labels.csv (DATA for `make demo`) in" in said
    assert {(one.name, one.class_name, one.split) for one in layout({}, "labels.csv").images} == {
        (folder + bird, bird.partition("/")[0], None if "_1" in bird else "test") for bird in BIRDS
    }


def test_a_list_elsewhere_is_used_with_the_folder_of_its_images(layout, tmp_path):
    lists = {f"lists/{name}": text for name, text in NUMBERED.items()}

    with pytest.raises(DatasetError, match=r"labels.csv \(DATA for `make demo`\) and `columns: {folder: ") as caught:
        layout({**images("images/"), **lists})
    subprocess.run(["/bin/sh", "-c", command_in(str(caught.value))], cwd=tmp_path / "lists", check=True)

    assert layout({}, "lists/labels.csv", columns={"folder": "../images"}).splits == ("train", "test")


def test_in_s3_the_command_runs_on_copies(s3):
    for name, text in {**images(), **NUMBERED}.items():
        s3.put_object(Bucket="pictures", Key=f"birds/{name}", Body=text.encode())
    classifier = Classifier(name="birds", source="s3://pictures/birds/")

    said = list_images(classifier, open_source(classifier, s3=s3, data_folder=Path("/"))).warnings[0]

    assert "on copies of both files, upload labels.csv to s3://pictures/birds/, and set `source` to " in said
    assert "`source` to s3://pictures/birds/labels.csv (DATA" in said


@pytest.mark.parametrize("name", ["train_list.mat", "setid.mat", "split_zhou.json", "train_test_split.txt"])
def test_a_file_that_may_hold_a_split_is_named_beside_class_folders(layout, name):
    (warning,) = [one for one in layout({**images(), name: "[]"}).warnings if "may say" in one]

    assert repr(name) in warning
    assert "write labels.csv with the columns path, label and split" in warning


@pytest.mark.parametrize(
    "name", ["boxes.mat", "train_features.npy", "train.log", "README_splits.md", "test_notes.txt", ".split.txt"]
)
def test_other_files_are_not_taken_for_splits(layout, name):
    assert layout({**images(), name: "1 1\n"}).warnings == ()


def test_the_split_of_folders_needs_no_other(layout):
    files = {**images("train/"), **images("test/"), "train/split.txt": "1 1\n"}

    assert layout(files).warnings == ()


def test_a_list_that_is_read_is_no_unread_split(layout):
    text = "path,split\n" + "".join(f"{bird},{'train' if '_1' in bird else 'test'}\n" for bird in BIRDS)

    assert all("may say" not in one for one in layout({**images(), "split.csv": text}).warnings)


def test_of_many_lists_those_that_are_not_opened_are_no_unread_splits(layout):
    lists = {f"split_{number}.txt": "".join(f"{bird}\n" for bird in BIRDS) for number in range(20)}

    assert all("may say" not in one for one in layout({**images(), **lists}).warnings)


def test_arrays_without_image_files_are_no_splits(layout):
    with pytest.raises(DatasetError, match=r"write labels|labels as labels.csv") as caught:
        layout({"train_32x32.mat": "MATLAB", "test_32x32.mat": "MATLAB"})

    assert "may say" not in str(caught.value)
