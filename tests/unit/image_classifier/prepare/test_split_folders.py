"""Checks which folders are splits, by the words of Hugging Face's datasets and by their contents."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.inspection.formats import ENDINGS
from image_classifier.prepare.layout.folders import read_layout
from image_classifier.prepare.layout.split_folders import is_image_name, split_word
from image_classifier.prepare.sources.source import File


def read(*folders, choice=None, files=()):
    """The layout of a source with one image in each of these folders."""
    names = [*(f"{folder}/1.jpg" for folder in folders), *files]
    return read_layout([File(name) for name in names], where="folder x", choice=choice)


def below(tops, classes=("cat", "dog")):
    return [f"{top}/{name}" for top in tops for name in classes]


@pytest.mark.parametrize(
    ("folder", "split"),
    [
        ("train", "train"),
        ("Training", "train"),
        ("seg_train", "train"),
        ("training_set", "train"),
        ("train2017", "train"),
        ("my.test-1", "test"),
        ("testing", "test"),
        ("eval", "test"),
        ("valid", "validation"),
        ("dev", "validation"),
        ("VAL", "validation"),
        ("trains", None),
        ("evaluate", None),
        ("latest", None),
        ("train_test", None),
        ("trainset", None),
        ("datasets-train", "train"),
        ("dataset" * 50, None),
    ],
)
def test_a_folder_s_name_speaks_of_a_split(folder, split):
    assert split_word(folder) == split


@pytest.mark.parametrize(
    "tops",
    [
        ("train", "validation", "test"),
        ("Train", "Valid", "Test"),
        ("training", "dev", "eval"),
        ("training_set", "val_set", "test_set"),
        ("train2017", "val2017", "test2017"),
    ],
)
def test_the_usual_names_are_splits(tops):
    found = read(*below(tops))

    assert (found.splits, found.classes) == (("train", "validation", "test"), ("cat", "dog"))
    assert [one.split for one in sorted(found.images, key=lambda one: tops.index(one.name.split("/")[0]))] == [
        "train",
        "train",
        "validation",
        "validation",
        "test",
        "test",
    ]


def test_without_a_validation_folder_train_is_divided_by_this_package():
    found = read(*below(["training_set", "test_set"]))

    assert found.splits == ("train", "test")
    assert not found.has_validation
    assert {(one.name.split("/")[0], one.split) for one in found.images} == {
        ("training_set", None),
        ("test_set", "test"),
    }


def test_train_alone_is_divided_by_this_package():
    found = read(*below(["train"]))

    assert (found.splits, found.classes, {one.split for one in found.images}) == (("train",), ("cat", "dog"), {None})


def test_numbered_folders_of_one_split_are_one():
    assert {one.split for one in read(*below(["train-1", "train-2", "val"])).images} == {"train", "validation"}


def test_a_doubled_folder_counts_once_and_unlabelled_images_are_not_used():
    folders = [f"{top}/{folder}" for top in ("seg_train", "seg_test") for folder in below([top])]

    found = read(*folders, files=["seg_pred/seg_pred/7.jpg"])

    assert (found.splits, found.classes) == (("train", "test"), ("cat", "dog"))
    assert found.ignored == ("seg_pred/seg_pred/7.jpg",)
    assert "'seg_pred' are neither a split nor a class" in found.warnings[0]
    assert found.level == (
        "The classes are the folders below seg_test/seg_test/ (test), seg_train/seg_train/ (train): 'cat', 'dog'."
    )


def test_one_folder_between_the_split_and_its_classes_does_not_matter():
    assert read(*below(["train/images", "val/images"])).classes == ("cat", "dog")


def test_a_test_folder_without_classes_is_not_used_and_named():
    found = read(*below(["train"]), files=["test/1.jpg"])

    assert (found.splits, found.has_test, found.ignored) == (("train",), False, ("test/1.jpg",))
    assert "'test' hold no class folder" in found.warnings[0]


@pytest.mark.parametrize(
    ("folders", "said"),
    [
        (below(["dev", "holdout"]), "hold the same folders, 'cat', 'dog': they look like splits"),
        (below(["fold1", "fold2", "fold3"]), "rename them to train, validation and test"),
        (below(["dev", "test"]), "rename dev to validation, and keep only train/<class>/"),
        ([*below(["train", "test"]), *below(["holdout"])], "of which 'test', 'train' may be a split or a class"),
        ([*below(["train", "test"]), "cat"], "of which 'test', 'train' may be a split or a class"),
        (["bus", "train_station", "test_tube"], "of which 'test_tube', 'train_station'"),
        (["bus", "car", "train"], "of which 'train' may be a split or a class"),
        (["bus", "car", "Val"], "of which 'Val'"),
        (below(["train", "train_masks", "val"]), "Several folders of folder x may be its train split"),
    ],
)
def test_folders_that_may_be_splits_are_refused_with_what_helps(folders, said):
    with pytest.raises(DatasetError) as caught:
        read(*folders)

    assert said in str(caught.value)
    assert "layout: classes" in str(caught.value)


@pytest.mark.parametrize(
    "folders", [below(["dev", "holdout"]), ["bus", "train_station", "test_tube"], ["bus", "car", "train"]]
)
def test_the_classifier_s_file_may_say_that_they_are_classes(folders):
    found = read(*folders, choice="classes")

    assert found.classes == tuple(sorted({folder.split("/")[0] for folder in folders}))
    assert found.splits == ()


def test_the_classifier_s_file_may_say_that_they_are_splits():
    found = read(*below(["train", "test", "holdout"]), choice="splits")

    assert found.splits == ("train", "test")
    assert found.ignored == ("holdout/cat/1.jpg", "holdout/dog/1.jpg")
    with pytest.raises(DatasetError, match="No training folder in folder x: layout is splits, and found 'a', 'test'"):
        read(*below(["a", "test"]), choice="splits")


@pytest.mark.parametrize("folder", ["bullet_train", "dev_board"])
def test_one_word_of_a_split_among_classes_is_a_warning(folder):
    found = read("bus", "car", folder)

    assert folder in found.classes
    assert f"'{folder}' are taken for classes" in found.warnings[0]


def test_folders_with_images_are_classes_whatever_else_they_hold():
    names = ["ok/1.jpg", "bad/1.jpg", *(f"{folder}/1.jpg" for folder in below(["ok", "bad"], ("cam1", "cam2")))]

    assert read_layout([File(name) for name in names], where="folder x").classes == ("bad", "ok")


@pytest.mark.parametrize(
    "name",
    ["__MACOSX/cat/._1.jpg", "cat/@eaDir/1.jpg", "cat/Thumbs.db", "desktop.ini", "cat/__pycache__/x.pyc", ".git/x"],
)
def test_what_systems_leave_behind_does_not_exist(name):
    found = read("cat", "dog", files=[name])

    assert (found.classes, found.ignored, len(found.images)) == (("cat", "dog"), (), 2)


@pytest.mark.parametrize(
    ("folders", "files", "inner"),
    [
        (below(["pets"]), [], "pets"),
        (below(["data/pets"]), ["README.md", "src/model.py"], "data/pets"),
        (below(["data/train", "data/test"]), ["README.md"], "data"),
        (below(["data"], [f"c{number}" for number in range(30)]), ["README.md", "docs/screenshot.png"], "data"),
    ],
)
def test_a_folder_over_the_data_set_is_answered_with_the_folder_to_use(folders, files, inner):
    with pytest.raises(DatasetError, match=f"all below its folder '{inner}'.*add /{inner} to `source`"):
        read(*folders, files=files)


def test_a_large_class_beside_a_small_one_is_no_repository():
    many = [f"ok/{day}" for day in range(30)]

    assert read(*many, "defect").classes == ("defect", "ok")


@given(st.lists(st.sampled_from(["a", ".", "..", ".jpg", ".PNG", ".txt", "jpg", "/b"]), max_size=6).map("".join))
def test_an_image_s_name_is_told_by_pathlib_s_suffix(name):
    assert is_image_name(f"cat/x{name}") == (PurePosixPath(f"cat/x{name}").suffix.lower() in ENDINGS)
