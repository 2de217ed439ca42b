"""Compares image records with those of MXNet's im2rec 1.9.1."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_classification_algorithm.errors import ClientError
from image_classification_algorithm.formats.recordio.image_records import unpacked
from image_classification_algorithm.formats.recordio.records import records
from image_classifier.contracts.training import image_list
from image_classifier.contracts.training.image_list import Entry
from image_classifier.contracts.training.recordio import MAGIC, READ_AT_ONCE, ImageRecord, pack_files, packed

LISTS = ("single", "multi")
float32 = st.floats(width=32, allow_nan=False)


def read_all(path):
    with path.open("rb") as stream:
        return [unpacked(content, name=path.name, offset=offset) for offset, content in records(stream, name="")]


@pytest.mark.parametrize("name", LISTS)
def test_a_file_of_im2rec_holds_its_lists_labels_and_images(im2rec, name):
    entries = image_list.parse((im2rec / f"{name}.lst").read_text())
    assert read_all(im2rec / f"{name}.rec") == [
        ImageRecord(entry.labels, entry.index, (im2rec / "images" / entry.path).read_bytes()) for entry in entries
    ]


@pytest.mark.parametrize("name", LISTS)
def test_what_is_packed_is_byte_for_byte_im2recs(im2rec, tmp_path, name):
    entries = image_list.parse((im2rec / f"{name}.lst").read_text())
    assert pack_files(entries, root=im2rec / "images", rec=tmp_path / "a.rec") == len(entries)
    assert (tmp_path / "a.rec").read_bytes() == (im2rec / f"{name}.rec").read_bytes()
    assert (tmp_path / "a.idx").read_bytes() == (im2rec / f"{name}.idx").read_bytes()


@pytest.mark.parametrize("more", [-1, 0, 1, READ_AT_ONCE + 1])
def test_a_file_longer_than_one_read_is_packed_whole(tmp_path, more):
    image = bytes(number % 251 for number in range(READ_AT_ONCE + more))
    (tmp_path / "a.jpg").write_bytes(image)
    pack_files([Entry(7, (1.0,), "a.jpg")], root=tmp_path, rec=tmp_path / "a.rec")
    assert read_all(tmp_path / "a.rec") == [ImageRecord((1.0,), 7, image)]


def test_the_files_of_im2rec_try_the_format(im2rec):
    """Else the two tests above would prove little: magic numbers that cut, that do not, and at both ends."""
    files = {path.name: path.read_bytes() for path in (im2rec / "images").iterdir()}
    assert files["magics.jpg"].startswith(MAGIC * 2)
    assert files["magics.jpg"].count(MAGIC) == 6
    assert files["only_magic.jpg"] == MAGIC
    assert files["shifted.jpg"].find(MAGIC) == 2
    assert files["empty.jpg"] == b""


@given(
    st.lists(float32, min_size=1).map(tuple),
    st.integers(0, 2**64 - 1),
    st.binary(),
    st.integers(0, 2**64 - 1),
)
def test_what_is_packed_is_unpacked(labels, identity, image, identity2):
    record = ImageRecord(labels, identity, image, identity2)
    assert unpacked(packed(record), name="a.rec", offset=0) == record


def test_a_single_label_in_a_list_is_read_as_well():
    content = struct.pack("<IfQQf", 1, 0.0, 7, 0, 3.0) + b"image"
    assert unpacked(content, name="a.rec", offset=0) == ImageRecord((3.0,), 7, b"image")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"abc", "at byte 64 of a.rec: 3 bytes cannot hold an image record's head of 24"),
        (b"\x0a\x23\x0a\x06values" + bytes(30), "labels are announced in 40 bytes; im2rec did not make it"),
    ],
)
def test_a_record_of_something_else_is_named_with_its_place(content, sentence):
    with pytest.raises(ClientError) as raised:
        unpacked(content, name="a.rec", offset=64)
    assert sentence in str(raised.value)
