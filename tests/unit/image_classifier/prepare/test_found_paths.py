"""Checks which files a list means whose paths lack endings or have other folders."""

import unicodedata

import pytest

from image_classifier.prepare.sources.lists.found_paths import Images, stem_of

FILES = ("train/a.jpg", "train/b.png", "test/a.jpg", "cats/1.jpg", "deep/cats/1.jpg", "part_2/c.v2.jpg", "notes/a.txt")


@pytest.mark.parametrize(
    ("path", "files"),
    [
        ("b.png", ["train/b.png"]),
        ("b", ["train/b.png"]),
        ("b.jpg", []),
        ("train/b.PNG", ["train/b.png"]),
        ("a", ["test/a.jpg", "train/a.jpg"]),
        ("a.txt", []),
        ("train/a", ["train/a.jpg"]),
        ("c.v2", ["part_2/c.v2.jpg"]),
        ("valid/b.png", []),
        ("gs://bucket/all/train/a.jpg", ["train/a.jpg"]),
        ("C:\\data\\train\\a.jpg", ["train/a.jpg"]),
        ("/data/local-files/?d=train/a.jpg", ["train/a.jpg"]),
        ("./train/../train/b.png", ["train/b.png"]),
        ("1.jpg", ["cats/1.jpg"]),
        ("Cats/1.jpg", ["cats/1.jpg"]),
        ("TRAIN/a.jpg", ["train/a.jpg"]),
        ("DEEP/Cats/1.jpg", ["deep/cats/1.jpg"]),
        ("https://host/train/a.jpg?size=1&name=b", ["train/a.jpg"]),
        ("https://host/train/b.png?1", ["train/b.png"]),
        ("https://host/get?file=train/a.jpg", ["train/a.jpg"]),
        ("", []),
        ("/", []),
    ],
)
def test_a_path_means_the_files_with_its_name_and_its_last_folders(path, files):
    assert sorted(Images(FILES).meant_by(path)) == files


def test_only_wanted_names_are_kept():
    images = Images(FILES, wanted={stem_of("x/b.png")})

    assert images.meant_by("b") == ["train/b.png"]
    assert images.meant_by("1") == []


def test_a_folder_in_the_same_case_is_preferred():
    images = Images(("Cats/1.jpg", "cats/1.jpg", "more/Cats/1.jpg"))

    assert images.meant_by("cats/1.jpg") == ["cats/1.jpg"]
    assert images.meant_by("more/Cats/1.jpg") == ["more/Cats/1.jpg"]


@pytest.mark.parametrize(("listed", "on_disk"), [("NFC", "NFD"), ("NFD", "NFC")])
@pytest.mark.parametrize("path", ["möwe/é 1.jpg", "é 1.jpg", "MÖWE/é 1", "/data/möwe/É 1.JPG"])
def test_macos_and_others_write_the_same_accents_differently(path, listed, on_disk):
    file = unicodedata.normalize(on_disk, "möwe/é 1.jpg")
    images = Images((file, "cats/1.jpg"), wanted={stem_of(file)})

    found = images.meant_by(unicodedata.normalize(listed, path))

    assert found == ([] if "É" in path else [file])
