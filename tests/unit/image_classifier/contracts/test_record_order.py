"""Of two records of one image one is current, whatever the order in which they are written."""

import dataclasses
import itertools

import pytest

from image_classifier.contracts import predictions
from image_classifier.contracts.predictions import Image, Times
from image_classifier.contracts.record_order import is_same_upload, supersedes

IMAGE = Image("bucket", "pets/incoming/a", None, None, bytes=1, sequencer=None)
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


def test_an_answer_takes_the_place_of_a_failed_record_and_never_the_reverse():
    answer = made("v1", uploaded="2026-01-01T00:00:00Z")
    failed = made("v1", uploaded="2026-01-01T00:00:00Z", status="failed", generation=5)

    assert supersedes(answer, failed)
    assert not supersedes(failed, answer)


def test_a_failed_record_of_a_newer_upload_takes_the_place_of_an_older_answer():
    assert supersedes(
        made("v2", uploaded="2026-01-01T00:00:09Z", status="failed"), made("v1", uploaded="2026-01-01T00:00:00Z")
    )


def test_the_same_record_is_current_after_every_order_of_writing():
    first, second = "2026-01-01T00:00:00.250Z", "2026-01-01T00:05:00.750Z"
    records = [
        made("v1", uploaded=first, sequencer="0A"),  # the event
        made("v1", uploaded=first, sequencer="0A", status="failed"),  # its failure
        made("v1", uploaded="2026-01-01T00:00:00Z", generation=7),  # classified again
        made("v2", uploaded=second, sequencer="0B"),  # a newer upload
        made("v2", uploaded="2026-01-01T00:05:00Z", generation=9),  # a newer model
    ]
    ends = set()
    for order in itertools.permutations(range(len(records))):
        current = None
        for number in order:
            if current is None or supersedes(records[number], records[current]):
                current = number
        ends.add(current)

    assert ends == {4}
