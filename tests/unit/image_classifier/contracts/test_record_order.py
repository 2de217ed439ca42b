"""Checks that one of two records of an image is current, in whatever order they are written."""

import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_classifier.contracts import predictions
from image_classifier.contracts.predictions import Image, Times
from image_classifier.contracts.record_order import is_same_upload, supersedes

IMAGE = Image("bucket", "pets/incoming/a", None, None, bytes=1, sequencer=None)
MOST_RECORDS = 6  # of one image, in all of their 720 orders
TIMES = Times("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:01.000Z", endpoint_ms=None, total_ms=1.0)


def upload(*, sequencer=None, uploaded="2026-01-01T00:00:00.000Z"):
    times = dataclasses.replace(TIMES, uploaded=uploaded)
    image = dataclasses.replace(IMAGE, sequencer=sequencer)
    return predictions.rejected(image, code="empty", sentence="The file is empty.", times=times)


@pytest.mark.parametrize(
    ("new", "stored", "wins"),
    [
        ("0055AED6DCD90281E6", "0055AED6DCD90281E5", True),
        ("0055AED6DCD90281E5", "0055AED6DCD90281E6", False),
        ("0055AED6DCD90281E5", "0055AED6DCD90281E5", False),  # delivered twice
        ("0055AED6DD", "0055AED6DCD90281E5", True),  # the shorter is padded on the right
        ("0055AED6DCD90281E5", "0055AED6DD", False),
        ("0055AED6DC", "0055AED6DC00", False),
        ("0055AED6DC00", "0055AED6DC", False),
        ("0055aed6dcd90281e6", "0055AED6DCD90281E5", True),
    ],
)
def test_the_later_sequencer_supersedes(new, stored, wins):
    assert supersedes(upload(sequencer=new), upload(sequencer=stored)) is wins


@pytest.mark.parametrize(("stored_sequencer", "new_sequencer"), [(None, None), ("0A", None), (None, "0A")])
def test_without_two_sequencers_the_time_of_the_upload_decides(stored_sequencer, new_sequencer):
    stored = upload(sequencer=stored_sequencer, uploaded="2026-01-01T00:00:00.000Z")
    later = upload(sequencer=new_sequencer, uploaded="2026-01-01T00:00:00.001Z")
    same = upload(sequencer=new_sequencer, uploaded="2026-01-01T00:00:00.000Z")

    assert supersedes(later, stored)
    assert not supersedes(same, stored)


def made(version, *, uploaded, sequencer=None, generation=0, status="rejected"):
    image = dataclasses.replace(IMAGE, version_id=version, sequencer=sequencer)
    times = dataclasses.replace(TIMES, uploaded=uploaded)
    record = getattr(predictions, status)(image, code="a", sentence="A sentence.", times=times)
    return dataclasses.replace(record, generation=generation)


def test_equal_versions_are_the_same_upload_whatever_the_times_say():
    event = made("v1", uploaded="2026-01-01T00:00:00.500Z", sequencer="0A")
    replay = made("v1", uploaded="2026-01-01T00:00:00.000Z")

    assert is_same_upload(event, replay)
    assert not supersedes(event, replay)
    assert not supersedes(replay, event)


def stored(etag, **values):
    record = made(**values)
    return dataclasses.replace(record, image=dataclasses.replace(record.image, etag=etag))


@pytest.mark.parametrize("began", ["00:00:01", "00:00:00", "00:00:59"])
def test_without_versions_an_upload_in_parts_is_listed_with_its_beginning(began):
    event = stored("a", version=None, uploaded="2026-01-01T00:01:01.020Z", sequencer="0A")
    replay = stored("a", version=None, uploaded=f"2026-01-01T{began}.000Z", generation=5)

    assert is_same_upload(event, replay)
    assert supersedes(replay, event)
    assert not supersedes(event, replay)


@pytest.mark.parametrize(("etag", "second"), [("a", "02"), ("b", "00")])
def test_without_versions_later_or_other_bytes_are_another_upload(etag, second):
    event = stored("a", version=None, uploaded="2026-01-01T00:00:01.020Z", sequencer="0A")
    other = stored(etag, version=None, uploaded=f"2026-01-01T00:00:{second}.000Z", generation=5)

    assert not is_same_upload(event, other)
    assert supersedes(other, event) is (second == "02")


@pytest.mark.parametrize("no_version", [None, "null"])
def test_without_versions_the_etag_says_whether_it_is_the_same_upload(no_version):
    event = stored("a", version=None, uploaded="2026-01-01T00:00:00.123Z", sequencer="0A")
    again = stored("a", version=no_version, uploaded="2026-01-01T00:00:00.000Z", generation=1)
    later = stored("b", version=no_version, uploaded="2026-01-01T00:00:00.000Z")

    assert is_same_upload(event, again)
    assert supersedes(again, event)
    assert not supersedes(event, again)
    assert supersedes(later, event)
    assert not supersedes(event, later)


def test_an_answer_replaces_a_failed_record_and_never_the_reverse():
    answer = made("v1", uploaded="2026-01-01T00:00:00Z")
    failed = made("v1", uploaded="2026-01-01T00:00:00Z", status="failed", generation=5)

    assert supersedes(answer, failed)
    assert not supersedes(failed, answer)


def test_a_failed_record_of_a_newer_upload_replaces_an_older_answer():
    assert supersedes(
        made("v2", uploaded="2026-01-01T00:00:09Z", status="failed"), made("v1", uploaded="2026-01-01T00:00:00Z")
    )


def test_of_two_uploads_within_a_second_the_replayed_one_is_the_later():
    event = made("v1", uploaded="2026-01-01T00:00:00.200Z", sequencer="0A")
    replay = made("v2", uploaded="2026-01-01T00:00:00Z")

    assert supersedes(replay, event)
    assert not supersedes(event, replay)
    assert not is_same_upload(event, replay)


@st.composite
def lives(draw):
    """The records of one image's life: uploads, some replayed, repeated, failed, or classified by newer models."""
    milliseconds = sorted(draw(st.sets(st.integers(0, 4_000), min_size=1, max_size=3)))
    records = []
    for number, after in enumerate(milliseconds):
        version, sequencer = f"v{number}", f"0A{number}"
        uploaded = f"2026-01-01T00:00:{after // 1000:02}.{after % 1000:03}Z"
        event = made(version, uploaded=uploaded, sequencer=sequencer)
        is_current = number == len(milliseconds) - 1 or milliseconds[number + 1] // 1000 > after // 1000
        listed = f"2026-01-01T00:00:{after // 1000:02}.000Z"
        kinds = {
            "event": event,
            "repeated": dataclasses.replace(event, temperature=2.0),
            "failure": made(version, uploaded=uploaded, sequencer=sequencer, status="failed"),
        }
        if is_current:  # replays and newer models come minutes later, and name what is current then
            kinds |= {
                "replay": made(version, uploaded=listed),
                "newer model": made(version, uploaded=listed, generation=5),
                "newest model": made(version, uploaded=listed, generation=9),
            }
        most = MOST_RECORDS // len(milliseconds)
        names = draw(st.sets(st.sampled_from(sorted(kinds)), min_size=1, max_size=most))
        records += [kinds[name] for name in sorted(names)]
    return records


@given(lives())
def test_the_current_record_is_the_latest_uploads_best_in_any_order(records):
    latest = max(record.image.version_id for record in records)
    of_latest = [record for record in records if record.image.version_id == latest]
    answers = [record for record in of_latest if record.status != "failed"] or of_latest
    generation = max(record.generation for record in answers)
    best = [record for record in answers if record.generation == generation]

    for order in itertools.permutations(records):
        current = None
        for record in order:
            if current is None or supersedes(record, current):
                current = record
        assert current in best
