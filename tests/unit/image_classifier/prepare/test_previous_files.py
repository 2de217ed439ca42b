"""Checks what is kept of the previous version: the facts about files, and the splits and groups of images."""

import hashlib
import sqlite3
from dataclasses import replace

import pytest

from image_classifier.prepare import previous_files
from image_classifier.prepare.inspection.near_duplicates import Look
from image_classifier.prepare.placed_before import PlacedBefore
from image_classifier.prepare.previous_files import PreviousFiles

LOOKS = [Look(0x123456789ABCDEF0, bytes(range(128)), is_small=True), Look(2**64 - 1, bytes(128)), None]


def sha_of(text):
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def add(inspected):
    """Adds a file with facts of its own."""

    def add(files, name, *, stamp="1@2", content=None, width=100):
        made = inspected(name, content)
        image, facts = replace(made.image, stamp=stamp), replace(made.facts, width=width)
        files.add(image, facts)
        return image, facts

    return add


@pytest.mark.parametrize("at_once", [2, 1000])
def test_a_file_is_found_by_its_name_its_stamp_and_its_content(add, monkeypatch, at_once):
    monkeypatch.setattr(previous_files, "ADDED_AT_ONCE", at_once)
    files = PreviousFiles()
    added = [add(files, f"cat/{number}", stamp=f"{number}@1") for number in range(5)]

    for image, facts in added:
        assert files.by_name(image.name) == (image, facts)
        assert files.by_stamp(image.stamp) == facts
        assert files.by_content(facts.sha256) == facts
    assert files.by_name("cat/5") is files.by_stamp("5@1") is files.by_content(sha_of("cat/5")) is None


def test_the_last_of_several_files_with_the_same_bytes_counts(add):
    files = PreviousFiles()
    add(files, "cat/a", content="same", width=1)
    _, last = add(files, "cat/b", content="same", width=2)

    assert files.by_content(last.sha256) == files.by_stamp("1@2") == last


def test_a_full_disk_is_an_error_of_the_operating_system(add, monkeypatch):
    """The database may have three pages; with more it is full, as it is on a full disk."""
    connect = sqlite3.connect

    def small(*arguments, **options):
        database = connect(*arguments, **options)
        database.execute("PRAGMA max_page_count = 3")
        return database

    monkeypatch.setattr(sqlite3, "connect", small)
    files = PreviousFiles()
    for number in range(100):
        add(files, f"cat/{number}")

    with pytest.raises(OSError, match=r"version before cannot be written to a file in .*disk is full"):
        files.by_name("cat/1")


def test_a_file_without_a_stamp_is_found_by_its_content_alone(add):
    files = PreviousFiles()
    _, facts = add(files, "cat/a", stamp="")

    assert files.by_name("cat/a") is files.by_stamp("") is None
    assert files.by_content(facts.sha256) == facts


def test_a_name_that_is_not_unicode_is_found(add):
    files = PreviousFiles()
    image, facts = add(files, "cat/\udcff.jpg", content="a")

    assert files.by_name("cat/\udcff.jpg") == (image, facts)


def placed(*images):
    before = PlacedBefore()
    for name, group, split, look in images:
        before.add(sha_of(name), group=sha_of(group) if group else "", split=split, look=look)
    return before


def test_an_image_is_placed_as_it_was_added():
    names = [str(number) for number in range(600)]  # one SHA-256 of them ends with a zero byte
    before = placed(*((name, "first", "train", LOOKS[int(name) % 3]) for name in names))

    assert any(sha_of(name).endswith("00") for name in names)
    assert len(before) == 600
    for row, name in enumerate(sorted(names, key=sha_of)):
        assert before.split_of(sha_of(name)) == before.split(row) == "train"
        assert before.look(row) == LOOKS[int(name) % 3]
        assert before.group(row) == sha_of("first")
    assert before.split_of(sha_of("another")) is None


def test_of_an_image_that_was_added_twice_the_last_counts():
    before = placed(("a", "a", "train", None), ("a", "b", "test", LOOKS[0]))

    assert (len(before), before.split(0), before.group(0), before.look(0)) == (1, "test", sha_of("b"), LOOKS[0])


def test_images_come_group_by_group_with_the_first_one_first():
    names = [str(number) for number in range(40)]
    before = placed(*((name, str(int(name) // 4), "train", None) for name in names), ("x", "", None, None))
    members = [
        (group, sha != group, sha) for sha, group in ((sha_of(name), sha_of(str(int(name) // 4))) for name in names)
    ]

    shas = sorted(map(sha_of, [*names, "x"]))
    assert [shas[row] for row in before.by_group()] == [sha for *_, sha in sorted(members)]


def test_a_version_without_images_places_none():
    before = PlacedBefore()

    assert (len(before), list(before.by_group()), before.split_of(sha_of("a"))) == (0, [], None)
