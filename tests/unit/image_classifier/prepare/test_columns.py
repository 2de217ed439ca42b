"""Checks that files and images in columns are those that were put in."""

import json
from array import array
from dataclasses import replace

import pytest

from image_classifier.prepare.layout.images import Listed, ListedImages
from image_classifier.prepare.shards.lines import NUMBERS_AT_ONCE, json_of
from image_classifier.prepare.sources.source import File, Files
from image_classifier.prepare.sources.texts import Texts

TEXTS = ["1@2", "", "é", "\udcff", "0123456789abcdef~"]
IMAGES = [
    Listed("test/cat/1.jpg", "cat", "test", "1@1"),
    Listed("train/cat/2.jpg", "cat", "train", ""),
    Listed("train/dog/3.jpg", "dog", "train", "3@3"),
]


def test_texts_are_read_in_their_order_and_by_number():
    texts = Texts()
    for text in TEXTS:
        texts.append(text)

    assert list(texts) == [texts[at] for at in range(len(texts))] == TEXTS
    assert texts[-1] == TEXTS[-1]
    with pytest.raises(IndexError):
        texts[len(TEXTS)]
    with pytest.raises(IndexError):
        texts[-len(TEXTS) - 1]


def test_files_are_read_in_their_order_and_by_number():
    added = [File(f"{text}/a", text) for text in TEXTS]
    files = Files(added)

    assert (len(files), list(files), files[1:3], files[-1]) == (len(added), added, added[1:3], added[-1])


def test_chosen_files_are_in_alphabetical_order_with_their_own_stamps():
    files = Files(File(name, f"{name}@1") for name in ("b", "a", "c", "d"))

    assert list(files.chosen(lambda name: name != "c")) == [File(name, f"{name}@1") for name in "abd"]
    assert list(Files(files[:2]).chosen(lambda _: True)) == [File(name, f"{name}@1") for name in "ab"]


def test_ordered_files_of_which_all_are_chosen_are_not_copied():
    files = Files(map(File, "abc"))

    assert files.chosen(lambda _: True) is files
    assert [file.name for file in files.chosen(lambda name: name != "b")] == ["a", "c"]


def test_images_are_read_in_their_order_and_by_number():
    images = ListedImages(IMAGES)

    assert (list(images), images[1:], images[-1], len(images)) == (IMAGES, IMAGES[1:], IMAGES[-1], 3)
    assert images.named() == {("test", "cat"), ("train", "cat"), ("train", "dog")}


def test_train_images_lose_their_split_and_nothing_else():
    images = ListedImages(IMAGES)

    assert list(images.unsplit()) == [IMAGES[0], *(replace(image, split=None) for image in IMAGES[1:])]
    assert list(images) == IMAGES


@pytest.mark.parametrize("count", [0, 1, NUMBERS_AT_ONCE, 2 * NUMBERS_AT_ONCE + 1])
def test_numbers_are_written_as_json_in_pieces(count):
    assert "".join(json_of(array("Q", range(count)))) == json.dumps(list(range(count)))
