"""Checks the frame of MXNet's RecordIO, byte by byte."""

import struct

import pytest

from local_aws.sagemaker.training import recordio
from local_aws.sagemaker.training.recordio import framed

MAGIC = bytes.fromhex("0a23d7ce")


def test_a_record_has_magic_number_length_bytes_and_padding():
    assert framed(b"abcde") == MAGIC + b"\x05\0\0\0" + b"abcde\0\0\0"
    assert framed(b"") == MAGIC + b"\0\0\0\0"


def test_an_aligned_magic_number_in_the_bytes_splits_the_record():
    parts = [(1, b"abcd"), (2, b""), (3, b"efg")]

    expected = b"".join(MAGIC + struct.pack("<I", flag << 29 | len(part)) + part for flag, part in parts) + b"\0"

    assert framed(b"abcd" + MAGIC + MAGIC + b"efg") == expected


def test_a_magic_number_between_two_multiples_of_four_is_left_alone():
    assert framed(b"a" + MAGIC) == MAGIC + b"\x05\0\0\0a" + MAGIC + b"\0\0\0"


def test_what_is_too_long_for_a_record_is_refused(monkeypatch):
    monkeypatch.setattr(recordio, "MAX_RECORD_BYTES", 3)

    with pytest.raises(ValueError, match="4 bytes do not fit in a RecordIO record; at most 3 do"):
        framed(b"abcd")
