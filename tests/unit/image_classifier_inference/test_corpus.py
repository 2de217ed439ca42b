"""Checks that every file and event of the corpus gets its expected record."""

import copy
import json
from typing import Any
from urllib.parse import quote_plus

import pytest
from tests.unit.image_classifier_inference.memory_aws import BUCKET, LABELS, Context, MemoryAws, etag
from tests.unit.odd_images import corpus
from tests.unit.odd_images.makers import png_16_bit

from image_classifier.contracts.errors import PredictionError
from image_classifier.contracts.pixels import PixelParameters, prepare
from image_classifier.contracts.predictions import Prediction
from image_classifier_inference.events import handle

FILES = corpus.files()
PHOTO = FILES["baseline JPEG"][1]
SIDE_PX = 32  # of the model
PREFIX, RECORDS = "pets/incoming/", "pets/predictions/"
LONGEST = "k" * (1024 - len(PREFIX))


@pytest.fixture
def aws() -> MemoryAws:
    return MemoryAws()


def upload(aws: MemoryAws, key: str, body: bytes = PHOTO, **changes: Any) -> dict[str, Any]:
    """Store an object; returns S3's record of its event, with other fields of the object where `changes` has them."""
    described = {"size": len(body), "eTag": etag(body), "versionId": aws.write(key, body), "sequencer": "0A"}
    return {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "eventTime": "2026-01-01T00:00:00.000Z",
        "s3": {"bucket": {"name": BUCKET}, "object": {"key": quote_plus(key, safe="/"), **described, **changes}},
    }


def run(aws: MemoryAws, *records: Any) -> Any:
    return handle({"Records": list(records)}, Context(), inference=aws.inference())


@pytest.mark.parametrize("name", FILES)
def test_a_file_has_the_status_that_it_must_have(name: str, aws: MemoryAws) -> None:
    status, body = FILES[name]

    run(aws, upload(aws, f"{PREFIX}{name}", body))

    [(key, record)] = aws.records().items()
    assert key == f"{RECORDS}{name}.json"
    found = record["reason"]["code"] if record["reason"] else record["status"]
    assert found in status.split("|"), record["reason"]
    assert aws.asked == (record["status"] == "predicted")
    assert aws.sent == (prepare(body, PixelParameters(SIDE_PX)).jpeg if aws.asked else b"")
    read = Prediction.from_json(json.dumps(record).encode())
    assert (read.image.etag, read.image.bytes) == (etag(body), len(body))


def test_the_record_of_an_image_that_the_model_saw_black_says_so(aws: MemoryAws) -> None:
    run(aws, upload(aws, f"{PREFIX}dark.png", png_16_bit(300)), upload(aws, f"{PREFIX}bright.png", png_16_bit(30_000)))

    traits = {key: record["traits"] for key, record in aws.records().items()}
    assert traits == {f"{RECORDS}dark.png.json": ["dark_16_bit"], f"{RECORDS}bright.png.json": []}


KEYS = {
    "a space and a plus": "my cat+(1).jpg",
    "percent signs": "100%25 %2F.jpg",
    "composed letters": "caf\u00e9.jpg",
    "decomposed letters": "cafe\u0301.jpg",
    "an emoji": "\U0001f408.jpg",
    "Chinese": "\u732b/\u72d7.jpg",
    "dots": "a/../b/./c.jpg",
    "empty folders": "a//b///c.jpg",
    "a line break": "a\nb\r\nc.jpg",
    "a null character": "a\0b.jpg",
    "quotes and angles": "\"'<script>&amp;.jpg",
    "spaces at both ends": " a.jpg ",
    "no name": " ",
    "a record's ending": "a.json",
    "a folder's ending, with content": "folder/",
    "the word of our folders": "predictions/pets/incoming/a.jpg",
    "right-to-left text": "\u202egpj.tac",
}


@pytest.mark.parametrize("name", KEYS)
def test_a_key_has_its_record_whatever_its_characters(name: str, aws: MemoryAws) -> None:
    run(aws, upload(aws, PREFIX + KEYS[name]))

    [(key, record)] = aws.records().items()
    assert key == f"{RECORDS}{KEYS[name]}.json"
    assert (record["image"]["key"], record["label"]) == (PREFIX + KEYS[name], LABELS[1])


@pytest.mark.parametrize("key", [PREFIX + LONGEST, PREFIX + "\u00e9" * (len(LONGEST) // 2)])
def test_the_longest_key_has_a_record_under_a_hash(key: str, aws: MemoryAws) -> None:
    run(aws, upload(aws, key))

    [found] = aws.records()
    assert found.startswith(f"{RECORDS}.long/")
    assert aws.records()[found]["image"]["key"] == key


def _without(record: dict[str, Any], *path: str) -> dict[str, Any]:
    found = record
    for name in path[:-1]:
        found = found[name]
    found.pop(path[-1])
    return record


def _with(record: dict[str, Any], value: Any, *path: str) -> dict[str, Any]:
    found = record
    for name in path[:-1]:
        found = found[name]
    found[path[-1]] = value
    return record


OBJECT = ("s3", "object")
CLASSIFIED = {
    "no version": lambda record: _without(record, *OBJECT, "versionId"),
    "no sequencer": lambda record: _without(record, *OBJECT, "sequencer"),
    "neither version nor ETag": lambda record: _without(_without(record, *OBJECT, "versionId"), *OBJECT, "eTag"),
    "a size in words": lambda record: _with(record, str(len(PHOTO)), *OBJECT, "size"),
    "another offset": lambda record: _with(record, "2026-01-01T05:30:00+05:30", "eventTime"),
    "a clock that is ahead": lambda record: _with(record, "2031-01-01T00:00:00Z", "eventTime"),
    "unknown fields": lambda record: _with(record, {"nested": [1, None]}, *OBJECT, "new"),
    "no event name": lambda record: _without(record, "eventName"),
    "a copy": lambda record: _with(record, "ObjectCreated:Copy", "eventName"),
    "a replay": lambda record: _with(record, 0, "generation"),
}


@pytest.mark.parametrize("name", CLASSIFIED)
def test_an_event_of_an_upload_is_classified(name: str, aws: MemoryAws) -> None:
    run(aws, CLASSIFIED[name](upload(aws, f"{PREFIX}a.jpg")))

    [record] = aws.records().values()
    assert record["label"] == LABELS[1]
    assert record["times"]["total_ms"] >= 0


SKIPPED = {
    "a folder": lambda aws: upload(aws, f"{PREFIX}folder/", b""),
    "another prefix": lambda aws: upload(aws, "pets/elsewhere/a.jpg"),
    "another classifier": lambda aws: upload(aws, "cars/incoming/a.jpg"),
    "a prefix that only begins alike": lambda aws: upload(aws, "pets/incoming.jpg"),
    "a deletion": lambda aws: _with(upload(aws, f"{PREFIX}a.jpg"), "ObjectRemoved:Delete", "eventName"),
    "a version that is gone": lambda aws: upload(aws, f"{PREFIX}a.jpg", versionId="v9"),
    "other bytes than the event's": lambda aws: _without(
        upload(aws, f"{PREFIX}a.jpg", eTag="0" * 32), *OBJECT, "versionId"
    ),
}


@pytest.mark.parametrize("name", SKIPPED)
def test_what_is_no_upload_to_this_classifier_has_no_record(name: str, aws: MemoryAws) -> None:
    run(aws, SKIPPED[name](aws))

    assert aws.records() == {}
    assert aws.asked == 0


BROKEN: dict[str, Any] = {
    "null": None,
    "a text": "record",
    "a list": [],
    "an empty record": {},
    "no object": {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": BUCKET}}},
    "an object that is a text": {"s3": {"bucket": {"name": BUCKET}, "object": "a"}},
    "a key that is a number": lambda record: _with(record, 5, *OBJECT, "key"),
    "half of a surrogate pair as key": lambda record: _with(record, f"{PREFIX}\ud800", *OBJECT, "key"),
    "no size": lambda record: _without(record, *OBJECT, "size"),
    "a size without end": lambda record: _with(record, float("inf"), *OBJECT, "size"),
    "a size that is no number": lambda record: _with(record, float("nan"), *OBJECT, "size"),
    "a version that is a number": lambda record: _with(record, 7, *OBJECT, "versionId"),
    "an ETag that is a list": lambda record: _with(record, [], *OBJECT, "eTag"),
    "an ETag with a line break": lambda record: _with(record, "0\r\nX-Other: 1", *OBJECT, "eTag"),
    "an ETag that is no ASCII": lambda record: _with(record, "é", *OBJECT, "eTag"),
    "half of a surrogate pair as sequencer": lambda record: _with(record, "\ud800", *OBJECT, "sequencer"),
    "a sequencer that is a number": lambda record: _with(record, 10, *OBJECT, "sequencer"),
    "no time": lambda record: _without(record, "eventTime"),
    "a time without an offset": lambda record: _with(record, "2026-01-01T00:00:00", "eventTime"),
    "a time that is a number": lambda record: _with(record, 1767225600, "eventTime"),
    "a generation that is a text": lambda record: _with(record, "newest", "generation"),
    "a bucket that is no name": lambda record: _with(record, {}, "s3", "bucket", "name"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_record_fails_its_event_and_leaves_the_others_alone(name: str, aws: MemoryAws) -> None:
    make = BROKEN[name]
    broken = make(upload(aws, f"{PREFIX}broken.jpg")) if callable(make) else copy.deepcopy(make)

    with pytest.raises(PredictionError, match=r"^1 of 2 image\(s\) failed"):
        run(aws, broken, upload(aws, f"{PREFIX}a.jpg"))

    assert list(aws.records()) == [f"{RECORDS}a.jpg.json"]


@pytest.mark.parametrize("records", [None, {}, "Records", 5])
def test_an_event_that_is_not_of_s3_fails(records: Any, aws: MemoryAws) -> None:
    with pytest.raises(PredictionError, match="neither of S3 nor of SQS"):
        handle({"Records": records}, Context(), inference=aws.inference())


def message(number: int, body: Any) -> dict[str, Any]:
    text = body if isinstance(body, str) else json.dumps(body)
    return {"messageId": f"m{number}", "eventSource": "aws:sqs", "body": text}


BODIES: dict[str, Any] = {
    "no JSON": "{",
    "a number": 5,
    "a list": [],
    "null": None,
    "records that are no list": {"Records": {"s3": {}}},
    "a broken record": {"Records": [{"s3": {}}]},
    "nested too deep to read": "[" * 100_000,
}


@pytest.mark.parametrize("name", BODIES)
def test_of_a_queue_only_the_broken_message_comes_again(name: str, aws: MemoryAws) -> None:
    good = message(1, {"Records": [upload(aws, f"{PREFIX}a.jpg")]})

    answer = run(aws, message(0, BODIES[name]), good)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert list(aws.records()) == [f"{RECORDS}a.jpg.json"]


def test_an_event_without_records_or_a_test_event_is_done(aws: MemoryAws) -> None:
    assert run(aws) == {"images": 0}
    assert handle({"Event": "s3:TestEvent"}, Context(), inference=aws.inference()) == {"images": 0}
    assert run(aws, message(0, {"Event": "s3:TestEvent"})) == {"batchItemFailures": []}


def test_an_image_that_is_named_twice_has_one_record(aws: MemoryAws) -> None:
    record = upload(aws, f"{PREFIX}a.jpg")

    run(aws, record, copy.deepcopy(record))

    assert len(aws.records()) == 1
    assert len(aws.objects[f"{RECORDS}a.jpg.json"]) == 1


@pytest.mark.parametrize(("name", "counts"), [("a.jpg", True), (".check/canary.jpg", False), ("b/.check/a.jpg", True)])
def test_images_of_checks_and_canaries_are_in_no_metric(name: str, counts: bool, aws: MemoryAws, capsys: Any) -> None:
    run(aws, upload(aws, f"{PREFIX}{name}"))

    line = json.loads(capsys.readouterr().out)
    assert (line["status"], "_aws" in line, "Images" in line) == ("predicted", counts, counts)
