"""Checks that RecordIO is written and read, and that an error names the place in the file."""

import io
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_classification_algorithm.errors import ClientError
from image_classification_algorithm.formats.recordio import records as recordio
from image_classification_algorithm.formats.recordio.records import records
from image_classifier.contracts.errors import DatasetError
from image_classifier.contracts.training import recordio as writing
from image_classifier.contracts.training.recordio import MAGIC, encoded

# Bytes in which magic numbers, whole or cut, stand at multiples of 4 and beside them.
adversarial = st.lists(
    st.one_of(st.sampled_from([MAGIC, MAGIC * 2, MAGIC[:1], MAGIC[1:], b"\0", b"\0" * 4]), st.binary(max_size=6))
).map(b"".join)


def read(data: bytes) -> list[tuple[int, bytes]]:
    return list(records(io.BytesIO(data), name="a.rec"))


def head(flag: int, length: int) -> bytes:
    return MAGIC + (flag << 29 | length).to_bytes(4, "little")


@given(st.lists(adversarial))
def test_what_is_written_is_read(contents):
    assert [content for _, content in read(b"".join(map(encoded, contents)))] == contents


@given(adversarial)
def test_no_magic_number_at_a_multiple_of_4_is_anything_but_a_beginning(content):
    data = encoded(content)
    positions = [at for at in range(0, len(data), 4) if data[at : at + 4] == MAGIC]
    cuts = sum(content[at : at + 4] == MAGIC for at in range(0, len(content), 4))
    assert len(data) % 4 == 0
    assert len(positions) == cuts + 1


@given(adversarial, adversarial)
def test_content_in_pieces_gives_the_same_record(first, second):
    assert encoded(first, second) == encoded(first + second)


def test_a_magic_number_cuts_a_record_into_parts():
    assert encoded(b"abcd" + MAGIC + MAGIC + b"e") == (
        head(1, 4) + b"abcd" + head(2, 0) + head(3, 1) + b"e" + b"\0\0\0"
    )


def test_one_record_at_a_time_is_read():
    stream = io.BytesIO(encoded(b"a" * 100) * 1000)
    next(records(stream, name="a.rec"))
    assert stream.tell() == 108


def test_a_file_that_was_cut_off_is_refused_wherever_it_was_cut():
    pieces = [encoded(b"a" * 5), encoded(MAGIC + b"bc"), encoded(b"")]
    data, whole = b"".join(pieces), set(itertools.accumulate(map(len, pieces), initial=0))
    for end in set(range(len(data))) - whole:
        with pytest.raises(ClientError, match=r"at byte \d+ of a.rec.*correct recordio format") as raised:
            read(data[:end])
        assert int(str(raised.value).split("at byte ")[1].split()[0]) <= end


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (
            b"\xff\xd8\xff\xe0 a JPEG",
            "at byte 0 of a.rec: it does not begin with the magic number but with ff d8 ff e0",
        ),
        (encoded(b"abcd") + b"TFRecord", "at byte 12 of a.rec: it does not begin with the magic number but with 54 46"),
        (encoded(b"") + MAGIC, "at byte 8 of a.rec: it ends after 4 bytes of a record's head"),
        (head(0, 9) + b"abcd", "at byte 0 of a.rec: it ends after 4 of 12 bytes"),
        (head(3, 0), "at byte 0 of a.rec: it goes on with a record that did not begin"),
        (head(7, 0), "at byte 0 of a.rec: it goes on with a record that did not begin"),
        (head(1, 4) + b"abcd" + head(0, 0), "at byte 12 of a.rec: another record begins before that at byte 0 ended"),
        (encoded(b"") + head(1, 0), "at byte 8 of a.rec: its last part is missing"),
    ],
)
def test_what_is_not_recordio_is_named_with_its_place(data, sentence):
    with pytest.raises(ClientError) as raised:
        read(data)
    assert sentence in str(raised.value)


def test_the_place_counts_from_where_reading_began():
    with pytest.raises(ClientError, match=r"at byte 100 of a\.rec"):
        list(records(io.BytesIO(b"x" * 8), name="a.rec", offset=100))


def test_a_record_too_long_for_the_format_is_refused(monkeypatch):
    monkeypatch.setattr(writing, "MAX_RECORD_BYTES", 15)
    assert len(encoded(b"a" * 15)) == 24
    with pytest.raises(DatasetError, match="A record of 16 bytes is too long for RecordIO; at most 15"):
        encoded(b"a" * 16)


def test_parts_that_never_end_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(recordio, "MAX_RECORD_BYTES", 15)
    with pytest.raises(ClientError, match=r"at byte 0 of a\.rec: its parts have more than 15 bytes"):
        read(head(1, 8) + b"a" * 8 + head(2, 4) + b"b" * 4)
