"""Checks how S3's events reach functions and queues, with and without faults."""

from __future__ import annotations

import json
import sqlite3
import time
from typing import TYPE_CHECKING, Any

import pytest

from local_aws.faults.counting import Faults
from local_aws.ministack.event_delivery import EventDelivery
from local_aws.ministack.invocation_queue import InvocationQueue
from local_aws.ministack.message_journal import MessageJournal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ARN = "arn:aws:lambda:us-east-1:000000000000:function:f:live"


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[InvocationQueue]:
    queue = InvocationQueue(tmp_path / "queue")
    yield queue
    queue.close()


@pytest.fixture
def upload(tmp_path: Path, queue: InvocationQueue) -> Callable[..., None]:
    """Upload objects under a fault plan."""

    def deliver(*keys: str, plan: list[dict[str, Any]]) -> None:
        (tmp_path / "faults.json").write_text(json.dumps(plan))
        delivery = EventDelivery(
            queue, journal=MessageJournal(tmp_path / "journal"), faults=Faults(tmp_path / "faults.json")
        )
        for key in keys:
            record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": {"key": key}}}
            delivery.deliver(ARN, {"Records": [record]}, "us-east-1")

    return deliver


def waiting(tmp_path: Path) -> list[tuple[str, float]]:
    """The key of each event in the queue and in how many seconds it is due, the first due first."""
    with sqlite3.connect(tmp_path / "queue") as database:
        rows = database.execute("SELECT event, due_s FROM invocation ORDER BY due_s, id").fetchall()
    return [(json.loads(row[0])["Records"][0]["s3"]["object"]["key"], row[1] - time.time()) for row in rows]


def test_without_a_fault_every_event_is_due_at_once(tmp_path: Path, upload: Callable[..., None]) -> None:
    upload("a", "b", plan=[])

    assert [(key, due_s <= 0) for key, due_s in waiting(tmp_path)] == [("a", True), ("b", True)]


def test_a_lost_event_is_not_in_the_queue_and_a_repeated_one_twice(tmp_path: Path, upload: Callable[..., None]) -> None:
    plan = [{"fault": "s3_event", "do": "lose"}, {"fault": "s3_event", "do": "repeat"}]

    upload("lost", "twice", "as usual", plan=plan)

    assert [key for key, _ in waiting(tmp_path)] == ["twice", "twice", "as usual"]


def test_a_delayed_event_is_due_later_and_holds_nothing_up(tmp_path: Path, upload: Callable[..., None]) -> None:
    upload("late", "next", plan=[{"fault": "s3_event", "do": "delay", "seconds": 600}])

    (first, _), (second, due_s) = waiting(tmp_path)
    assert (first, second) == ("next", "late")
    assert 500 < due_s <= 600


def test_overtaken_events_follow_in_reverse_order(tmp_path: Path, upload: Callable[..., None]) -> None:
    upload("a", "b", "c", plan=[{"fault": "s3_event", "do": "reorder", "seconds": 600, "times": 2}])

    assert [key for key, _ in waiting(tmp_path)] == ["c", "b", "a"]
    assert all(due_s < 10 for _, due_s in waiting(tmp_path))


def test_an_event_that_nothing_overtakes_comes_in_the_end(tmp_path: Path, upload: Callable[..., None]) -> None:
    upload("a", plan=[{"fault": "s3_event", "do": "reorder", "seconds": 600}])

    [(_, due_s)] = waiting(tmp_path)
    assert 500 < due_s <= 600


def test_the_key_of_where_is_the_key_of_the_object(tmp_path: Path, upload: Callable[..., None]) -> None:
    upload("a+b%2Bc", "d", plan=[{"fault": "s3_event", "do": "lose", "where": {"Bucket": "b", "Key": "a b+c"}}])

    assert [key for key, _ in waiting(tmp_path)] == ["d"]
