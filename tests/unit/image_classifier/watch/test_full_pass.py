"""Checks that a lost event is replayed, and that an image which never succeeds gets a failed record."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from image_classifier.classify_existing.records import Target
from image_classifier.classify_existing.replays import MOST_ATTEMPTS, write_failed_record
from image_classifier.contracts.predictions import Prediction
from image_classifier.watch import full_pass
from image_classifier.watch.full_pass import LISTINGS_PER_DAY, FullPass, forget_answered, is_due
from image_classifier.watch.state import Replayed, WatchState

KEY = "pets/incoming/a b+c.jpg"


class Functions:
    """A Lambda client that keeps the events of asynchronous invocations."""

    def __init__(self):
        self.events = []

    def invoke(self, **request):
        called = (request["FunctionName"], request["Qualifier"], request["InvocationType"])
        assert called == ("image-classifier-pets", "live", "Event")
        self.events.append(json.loads(request["Payload"]))


@pytest.fixture
def functions():
    return Functions()


@pytest.fixture
def watched(s3, functions):
    """One run of a pass, an hour times `hours` after the upload; returns its result."""
    state = WatchState()

    def run(*, hours=1, is_over=lambda: False):
        now = datetime.now(UTC) + timedelta(hours=hours)
        return FullPass(functions, s3, Target("pets", "pictures")).run(state, now=now, is_over=is_over)

    run.state = state
    return run


def test_an_image_without_a_record_is_handed_to_the_function_as_s3_would(s3, functions, watched):
    s3.put_object(Bucket="pictures", Key=KEY, Body=b"image")

    assert watched().replayed == 1
    [record] = functions.events[0]["Records"]
    assert record["s3"]["bucket"]["name"] == "pictures"
    assert (record["s3"]["object"]["key"], record["s3"]["object"]["size"]) == ("pets/incoming/a+b%2Bc.jpg", 5)
    assert "sequencer" not in record["s3"]["object"]
    assert datetime.fromisoformat(record["eventTime"]).tzinfo is not None


def test_a_fresh_upload_is_left_to_its_own_event(s3, functions, watched):
    s3.put_object(Bucket="pictures", Key=KEY, Body=b"image")

    assert watched(hours=0).missing == 0
    assert functions.events == []


def test_replays_of_one_image_become_rarer_and_end_in_a_failed_record(s3, functions, watched):
    s3.put_object(Bucket="pictures", Key=KEY, Body=b"image")

    replayed = [watched(hours=1 + number / 4).replayed for number in range(3)]
    last = [watched(hours=10 * (number + 1)) for number in range(MOST_ATTEMPTS)]

    assert replayed == [1, 0, 1]
    assert len(functions.events) == MOST_ATTEMPTS
    assert sum(result.given_up for result in last) == 1
    body = s3.get_object(Bucket="pictures", Key="pets/predictions/a b+c.jpg.json")["Body"].read()
    assert (Prediction.from_json(body).status, Prediction.from_json(body).image.key) == ("failed", KEY)
    assert len(s3.list_objects_v2(Bucket="pictures", Prefix="pets/predictions-log/")["Contents"]) == 1


def test_another_upload_to_the_key_of_a_replayed_image_is_replayed_anew(s3, functions, watched):
    """It would get a failed record at once for what happened to the image before it."""
    s3.put_object(Bucket="pictures", Key=KEY, Body=b"image")
    a_day_before = datetime.now(UTC) - timedelta(days=1)
    watched.state.replayed[KEY] = Replayed(attempts=MOST_ATTEMPTS, last=a_day_before)

    result = watched()

    assert (result.replayed, result.given_up, len(functions.events)) == (1, 0, 1)
    assert watched.state.replayed[KEY].attempts == 1


def test_one_run_replays_only_so_many_images_and_the_next_the_others(s3, functions, watched, monkeypatch):
    monkeypatch.setattr(full_pass, "MOST_REPLAYS", 2)
    for number in range(3):
        s3.put_object(Bucket="pictures", Key=f"pets/incoming/{number}", Body=b"image")

    assert [(result.missing, result.replayed) for result in (watched(), watched())] == [(3, 2), (3, 1)]
    assert len({event["Records"][0]["s3"]["object"]["key"] for event in functions.events}) == 3


def test_an_image_that_has_its_record_by_now_is_forgotten(s3, watched):
    s3.put_object(Bucket="pictures", Key=KEY, Body=b"image")
    watched()
    s3.put_object(Bucket="pictures", Key="pets/predictions/a b+c.jpg.json", Body=b"{}")

    assert watched().missing == 0
    assert watched.state.replayed == {}


def test_a_replayed_image_that_was_deleted_is_forgotten(s3, watched):
    s3.put_object(Bucket="pictures", Key=KEY, Body=b"image")
    watched(hours=1)
    watched(hours=1.1)
    assert list(watched.state.replayed) == [KEY]
    s3.delete_object(Bucket="pictures", Key=KEY)
    watched(hours=2)

    assert watched.state.replayed == {}


def test_a_failed_record_has_its_log_entry_before_it_is_written(s3, monkeypatch):
    """An image with a record is not looked at again, so its log entry, from which pages are made, comes first."""
    s3.put_object(Bucket="pictures", Key=KEY, Body=b"image")
    with monkeypatch.context() as patched:
        patched.setattr("image_classifier.classify_existing.replays.store_record", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            write_failed_record(s3, Target("pets", "pictures"), key=KEY, code="no_record", sentence="None came.")

    [entry] = s3.list_objects_v2(Bucket="pictures", Prefix="pets/predictions-log/")["Contents"]
    record = Prediction.from_json(s3.get_object(Bucket="pictures", Key=entry["Key"])["Body"].read())
    assert (record.image.key, record.status) == (KEY, "failed")


def test_a_pass_that_runs_out_of_time_is_resumed_by_the_next_run(s3, functions, watched):
    for number in range(5):
        s3.put_object(Bucket="pictures", Key=f"pets/incoming/{number}", Body=b"image")

    results = [watched(is_over=lambda: True) for _ in range(6)]

    assert [result.is_complete for result in results] == [False] * 5 + [True]
    assert len(functions.events) == 5
    assert watched.state.last_pass_images == 5


@pytest.mark.parametrize(
    ("images", "listings", "hours", "due"),
    [
        (20_000, 40, 0.2, True),
        (100_000, 200, 0.2, False),
        (100_000, 200, 0.9, True),
        (50_000_000, 100_000, 23.0, False),
        (50_000_000, 100_000, 24.0, True),
    ],
)
def test_the_budget_of_listings_decides_when_a_pass_is_due(images, listings, hours, due):
    now = datetime(2026, 1, 2, tzinfo=UTC)
    last = now - timedelta(hours=hours)
    state = WatchState(last_pass=last, last_pass_images=images, last_pass_listings=listings)

    assert is_due(state, now=now) is due
    assert LISTINGS_PER_DAY == 6_000


def test_a_deleted_image_is_not_replayed(s3, functions):
    from image_classifier.classify_existing.replays import replay

    assert not replay(functions, s3, Target("pets", "pictures"), key="pets/incoming/gone")
    assert functions.events == []


@pytest.mark.parametrize(("minutes", "is_kept"), [(-5, False), (5, True)])
def test_between_two_passes_only_a_record_since_the_replay_is_an_answer(s3, minutes, is_kept):
    """A record from before the replay is of an earlier upload to the key."""
    s3.put_object(Bucket="pictures", Key="pets/predictions/a b+c.jpg.json", Body=b"{}")
    replayed = Replayed(attempts=1, last=datetime.now(UTC) + timedelta(minutes=minutes))
    state = WatchState(replayed={KEY: replayed, "pets/incoming/no-record": replayed})

    forget_answered(s3, Target("pets", "pictures"), state)

    assert list(state.replayed) == [*([KEY] if is_kept else []), "pets/incoming/no-record"]
