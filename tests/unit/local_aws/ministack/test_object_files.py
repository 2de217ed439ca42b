"""Checks that the files of objects are those that MiniStack itself finds."""

import itertools
from pathlib import Path

import pytest

from local_aws.ministack import object_files
from local_aws.ministack.modules import s3

KEYS = [
    "a",
    "a/b",
    "a/b/c",
    "a/",
    "/a",
    "a//b",
    "../a",
    "a/../../b",
    "a/./b",
    "",
    "ä/ö ü+%.jpg",
    "x.meta.json",
    "a.tmp",
    "n" * 201,
    "deep/" * 20 + "n",
    ".ministack-keys/a",
    "nul\0",
]


def write(path: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text("")


@pytest.mark.parametrize("stored", [(), *itertools.permutations(["a", "a/b", "a/b/c"], 2), tuple(filter(None, KEYS))])
@pytest.mark.parametrize("ending", ["", ".meta.json"])
def test_the_paths_are_those_of_ministack(stored, ending, tmp_path):
    base = str(tmp_path / "bucket")
    for key in stored:
        write(object_files.path_of(base, key) + ending)

    for key in KEYS:
        path = object_files.path_of(base, key)
        assert path == s3._key_disk_path(base, key)
        assert object_files.other_path_of(base, key, path) == s3._other_key_disk_path(base, key, path)
        assert object_files.other_path_of(base, key, "moved") == s3._other_key_disk_path(base, key, "moved")


def test_an_object_that_was_stored_by_its_encoded_name_is_found_there(tmp_path):
    encoded = s3._other_key_disk_path(str(tmp_path), "a/b", str(tmp_path / "a/b"))
    write(encoded)

    assert object_files.path_of(str(tmp_path), "a/b") == encoded == s3._key_disk_path(str(tmp_path), "a/b")
    assert object_files.other_path_of(str(tmp_path), "a/b", encoded) == str(tmp_path / "a/b")


def test_every_path_is_below_the_bucket(tmp_path):
    for key in KEYS:
        path = Path(object_files.path_of(str(tmp_path), key))
        assert path.resolve().is_relative_to(tmp_path)
