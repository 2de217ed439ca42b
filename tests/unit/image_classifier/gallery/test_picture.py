"""Checks which objects the pages send to a browser as pictures."""

import functools
import hashlib

import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from image_classifier.gallery.picture import picture_sha256, picture_type, read_up_to

BUCKET = "pictures"


def read(s3, *, most_bytes):
    return read_up_to(s3, bucket=BUCKET, key="cats/incoming/a.jpg", most_bytes=most_bytes)


def test_a_picture_up_to_the_limit_is_read(s3):
    s3.put_object(Bucket=BUCKET, Key="cats/incoming/a.jpg", Body=b"12345")

    assert [read(s3, most_bytes=limit) for limit in (4, 5)] == [None, b"12345"]


def test_a_picture_that_was_deleted_is_none_and_a_refusal_is_an_error(s3, monkeypatch):
    assert read(s3, most_bytes=5) is None

    def refuse(**_):
        raise ClientError({"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}, "GetObject")

    monkeypatch.setattr(s3, "get_object", refuse)
    with pytest.raises(Exception, match="AccessDenied"):
        read(s3, most_bytes=5)


def test_a_large_picture_is_hashed_in_pieces(s3, monkeypatch):
    content = bytes(range(256)) * 5_000
    s3.put_object(Bucket=BUCKET, Key="cats/incoming/a.jpg", Body=content)
    monkeypatch.setattr(StreamingBody, "read", functools.partialmethod(_read_piece, StreamingBody.read))

    hashes = [
        picture_sha256(s3, bucket=BUCKET, key="cats/incoming/a.jpg", most_bytes=limit)
        for limit in (len(content) - 1, len(content))
    ]

    assert hashes == [None, hashlib.sha256(content).hexdigest()]


def _read_piece(body, read, amt=None):
    assert amt, "the whole picture is read into memory"
    return read(body, amt)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n...", "image/png"),
        (b"GIF89a...", "image/gif"),
        (b"RIFF....WEBPVP8 ", "image/webp"),
        (b"RIFF....WAVEfmt ", None),
        (b"<svg onload='alert(1)'>", None),
        (b"", None),
    ],
)
def test_a_format_is_known_by_its_first_bytes(content, kind):
    assert picture_type(content) == kind
