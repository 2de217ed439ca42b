"""Checks that every image without a current record is found, whatever its key, also after an interruption."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_classifier.classify_existing.missing_records import (
    Counter,
    Listed,
    Position,
    compare,
    in_record_order,
    without_current_record,
)
from image_classifier.contracts.record_keys import record_key

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = st.sets(st.text("ab./-~\u00e9", min_size=1, max_size=6).map(str.encode), max_size=40)


def listed(names, *, ending=b"", modified=NOW):
    return [Listed(name, modified, 1, "etag") for name in sorted(name + ending for name in names)]


@given(NAMES)
def test_images_come_in_the_order_of_their_records(names):
    ordered = [image.name + b".json" for image, _ in in_record_order(listed(names))]

    assert ordered == sorted(name + b".json" for name in names)


@given(NAMES, NAMES)
def test_exactly_the_images_without_a_record_are_missing(images, recorded):
    compared = without_current_record(in_record_order(listed(images)), listed(recorded, ending=b".json"))

    assert {image.name for image, _, is_missing in compared if is_missing} == images - recorded


@given(NAMES, st.integers(0, 40))
def test_a_pass_that_is_resumed_leaves_no_image_out(names, stop_after):
    first, position = [], Position()
    for number, (image, reached) in enumerate(in_record_order(listed(names))):
        if number == stop_after:
            break
        first.append(image.name)
        position = reached
    rest = [
        image.name
        for image, _ in in_record_order(
            image
            for image in listed(names)
            if image.name > position.images_from[:-1] and image.name + b".json" > position.after
        )
    ]

    assert sorted(first + rest) == sorted(names)


def test_a_record_that_is_older_than_its_image_does_not_count():
    image, old = listed([b"a"]), listed([b"a"], ending=b".json", modified=NOW - timedelta(seconds=1))

    [(_, _, is_missing)] = without_current_record(in_record_order(image), old)

    assert is_missing


@pytest.fixture
def put(s3):
    return lambda key: s3.put_object(Bucket="pictures", Key=key, Body=b"x")


def missing(s3, **since):
    counter = Counter()
    compared = compare(s3, bucket="pictures", classifier="pets", start=Position(), counter=counter, **since)
    return [image.name.decode() for image, _, is_missing in compared if is_missing], counter


def test_a_resumed_pass_lists_only_what_is_left(s3, put):
    """Of millions of images each listing costs, and one run's time would not reach the end."""
    names = [f"{number}.jpg" for number in range(6)]
    for name in names:
        put(f"pets/incoming/{name}")
        put(f"pets/predictions/{name}.json")
    where, listed_again = {"bucket": "pictures", "classifier": "pets"}, []
    begun = [position for _, position, _ in compare(s3, **where, start=Position(), counter=Counter())]
    s3.meta.events.register(
        "after-call.s3.ListObjectsV2", lambda parsed, **_: listed_again.extend(one["Key"] for one in parsed["Contents"])
    )

    rest = [image.name.decode() for image, _, _ in compare(s3, **where, start=begun[2], counter=Counter())]

    assert rest == names[3:]
    images, records = ([f"pets/{folder}/{name}" for name in names[3:]] for folder in ("incoming", "predictions"))
    assert sorted(listed_again) == [*images, *(f"{record}.json" for record in records)]


def test_folder_markers_and_a_runs_own_check_images_are_left_out(s3, put):
    s3.put_object(Bucket="pictures", Key="pets/incoming/folder/", Body=b"")
    for key in ("pets/incoming/.check/run.jpg", "pets/incoming/a.jpg", "pets/incoming/b.jpg"):
        put(key)
    put("pets/predictions/b.jpg.json")

    assert missing(s3)[0] == ["a.jpg"]


def test_an_image_whose_key_ends_like_a_folder_is_no_marker(s3, put):
    put("pets/incoming/a/")

    assert missing(s3)[0] == ["a/"]


@pytest.mark.parametrize("name", ["a.jpg", "x" * 1005])
def test_of_an_image_uploaded_during_a_run_an_earlier_record_does_not_coun(s3, put, name):
    key = f"pets/incoming/{name}"
    put(key)
    put(record_key(key, incoming_prefix="pets/incoming/", predictions_prefix="pets/predictions/"))
    began = datetime.now(UTC) - timedelta(hours=1)
    assert missing(s3, recorded_since=began)[0] == []
    assert missing(s3, recorded_since=began + timedelta(hours=2))[0] == [name]

    def recorded_before(parsed, **_):
        for found in parsed["Contents"]:
            if found["Key"].startswith("pets/predictions/"):
                found["LastModified"] -= timedelta(minutes=30)

    s3.meta.events.register("after-call.s3.ListObjectsV2", recorded_before)

    assert missing(s3, recorded_since=began)[0] == [name]


def test_an_image_with_a_long_key_is_looked_up_by_its_hash(s3, put):
    long = "pets/incoming/" + "x" * 1005
    put(long)

    assert missing(s3)[0] == ["x" * 1005]
    put(record_key(long, incoming_prefix="pets/incoming/", predictions_prefix="pets/predictions/"))
    assert missing(s3)[0] == []


def test_the_first_a_middle_and_the_last_of_many_are_found_in_few_listings(s3, put):
    names = [f"{number:05}.jpg" for number in range(2500)]
    lost = {names[0], names[1234], names[-1]}
    for name in names:
        put(f"pets/incoming/{name}")
        if name not in lost:
            put(f"pets/predictions/{name}.json")

    found, counter = missing(s3)

    assert set(found) == lost
    assert counter.listings <= 2 * 3 + 2
