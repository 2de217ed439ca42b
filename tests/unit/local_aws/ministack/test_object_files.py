"""Checks that the files of objects are those that MiniStack itself finds."""

import itertools
import os
import subprocess
import sys
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
        for where in (path, "moved"):
            other = object_files.other_path_of(base, key, where)
            if other is None and s3._other_key_disk_path(base, key, where) is not None:
                assert not Path(base, s3._ENCODED_KEYS_DIR).exists()  # so there is no old copy in it
            else:
                assert other == s3._other_key_disk_path(base, key, where)


def test_an_object_that_was_stored_by_its_encoded_name_is_found_there(tmp_path):
    encoded = s3._other_key_disk_path(str(tmp_path), "a/b", str(tmp_path / "a/b"))
    write(encoded)

    assert object_files.path_of(str(tmp_path), "a/b") == encoded == s3._key_disk_path(str(tmp_path), "a/b")
    assert object_files.other_path_of(str(tmp_path), "a/b", encoded) == str(tmp_path / "a/b")


def test_every_path_is_below_the_bucket(tmp_path):
    for key in KEYS:
        path = Path(object_files.path_of(str(tmp_path), key))
        assert path.resolve().is_relative_to(tmp_path)


@pytest.mark.parametrize("data", [b"", b"x" * 3_000_000, "ä"])
def test_a_file_is_written_as_ministack_writes_it(data, tmp_path):
    for name, function in (("ours", object_files.write), ("theirs", s3._atomic_write)):
        (tmp_path / name).write_text("what was there before")
        function(str(tmp_path / name), data, text=isinstance(data, str))

    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    assert (ours.read_bytes(), ours.stat().st_mode) == (theirs.read_bytes(), theirs.stat().st_mode)
    assert sorted(tmp_path.iterdir()) == [ours, theirs]


def test_a_file_that_cannot_be_written_leaves_the_earlier_one(tmp_path):
    """As on a full disk; the limit of a file's size is a process's own."""
    file = tmp_path / "a"
    file.write_bytes(b"before")
    program = (
        "import resource, signal, sys\n"
        "from local_aws.ministack import object_files\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        "    object_files.write(sys.argv[1], bytes(2000))\n"
        "except OSError:\n"
        "    print('not written')"
    )
    environ = {**os.environ, "PYTHONPATH": str(Path(object_files.__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", program, str(file)], env=environ, capture_output=True, text=True)

    assert done.stdout == "not written\n", done.stderr
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"before")]
