from dataclasses import replace

import numpy as np
import pytest

from image_classifier.prepare import spool as spool_module
from image_classifier.prepare.inspection.inspector import Rejected
from image_classifier.prepare.inspection.near_duplicates import Look
from image_classifier.prepare.layout.images import Listed
from image_classifier.prepare.picked import Found, Picked
from image_classifier.prepare.spool import Spool

LOOK = Look(0x123456789ABCDEF0, bytes(range(128)), is_small=True)


@pytest.fixture(params=[2, 1000], ids=["on disk", "in memory"])
def images(request, monkeypatch, inspected):
    """Images of several classes and splits; one has everything that an image may have."""
    monkeypatch.setattr(spool_module, "KEPT", request.param)
    full = inspected("dog/7", split="test", placed="test", look=LOOK)
    statistics = replace(full.facts.statistics, camera="Nikon", aspect=0.333)
    facts = replace(full.facts, traits=("grey", "cmyk"), revision="r2", statistics=statistics)
    full = replace(full, facts=facts, image=replace(full.image, stamp="12@34"), uploaded=False)
    return [inspected(f"cat/{number}", split="validation") for number in range(5)] + [full, inspected("cat/9")]


def picked(spool):
    return Picked(spool, np.arange(len(spool)), spool.own)


def test_an_image_is_read_as_it_was_added(images):
    assert list(picked(Spool.of(images))) == images


def test_images_are_read_in_any_order(images):
    found = picked(Spool.of(images))

    assert list(found.only([6, 0, 5])) == [images[6], images[0], images[5]]
    assert list(found[5:]) == images[5:]
    assert list(found.of_split("test")) == [images[5]]
    assert list(found.of_class("dog")) == [images[5]]
    assert list(found.of_class("emu")) == []


def test_images_are_ordered_by_split_and_path(images):
    found = picked(Spool.of(images)).ordered()

    assert list(found) == sorted(images, key=lambda one: (one.split, one.path))
    assert list(found.paths()) == [one.path for one in found]


def test_copies_are_marked_as_uploaded_if_one_was(inspected):
    split_otherwise = inspected("cat/c", "same", split="test")
    images = [inspected("cat/a", "same"), inspected("cat/b", "same"), inspected("dog/a", "same"), split_otherwise]
    spool = Spool.of(replace(one, uploaded=one.image.name == "cat/b") for one in images)

    spool.mark_copies()

    assert [one.uploaded for one in picked(spool)] == [True, True, False, False]


def test_all_files_of_a_source_are_found(images):
    broken = Rejected(Listed("emu/1", "emu", "train"), "corrupt", "It is.")
    found = Found([images[0], broken, *images[1:]])

    assert [one.name for one in found] == [*(one.image.name for one in images), "emu/1"]
    assert found.named() == {(None, "cat"), ("test", "dog"), ("train", "emu")}
