"""Checks that accepted events are stored until they are done, and are taken once at a time."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws.ministack.invocation_queue import Invocation, InvocationQueue

pytestmark = pytest.mark.timeout(30)  # a queue that forgets keeps its reader waiting


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[InvocationQueue]:
    opened = InvocationQueue(tmp_path / "queue.sqlite3")
    yield opened
    opened.close()


def take(queue: InvocationQueue) -> Invocation:
    invocation = queue.take()
    assert invocation is not None
    return invocation


def test_first_come_first_served(queue: InvocationQueue) -> None:
    for number in range(3):
        queue.put("arn", {"number": number})
    assert [take(queue).event["number"] for _ in range(3)] == [0, 1, 2]


def test_what_is_worked_on_is_not_delivered_again(queue: InvocationQueue) -> None:
    queue.put("arn", 1)
    queue.put("arn", 2)
    take(queue)
    assert take(queue).event == 2


def test_what_was_worked_on_when_the_process_died_comes_back(tmp_path: Path) -> None:
    before = InvocationQueue(tmp_path / "queue.sqlite3")
    before.put("arn", "event")
    taken = take(before)
    # Not closed: nobody closes anything when a process is killed.
    after = InvocationQueue(tmp_path / "queue.sqlite3")
    assert take(after) == taken


def test_what_is_done_is_gone(queue: InvocationQueue, tmp_path: Path) -> None:
    queue.put("arn", "event")
    queue.remove(take(queue))
    assert len(queue) == 0
    assert len(InvocationQueue(tmp_path / "queue.sqlite3")) == 0


def test_what_is_put_back_keeps_its_request_id_and_counts_its_attempts(queue: InvocationQueue) -> None:
    queue.put("arn", "event")
    first = take(queue)
    queue.put_back(first, after_s=0, attempts=1)
    second = take(queue)
    assert (second.request_id, second.attempts) == (first.request_id, 1)


def test_what_waits_for_its_next_attempt_lets_others_pass(queue: InvocationQueue) -> None:
    queue.put("arn", "failing")
    queue.put_back(take(queue), after_s=3600, attempts=1)
    queue.put("arn", "new")
    assert take(queue).event == "new"


def test_closing_ends_the_wait_of_those_who_take(tmp_path: Path) -> None:
    queue = InvocationQueue(tmp_path / "queue.sqlite3")
    taken: list[Invocation | None] = []
    waiting = threading.Thread(target=lambda: taken.append(queue.take()))
    waiting.start()
    queue.close()
    waiting.join(10)
    assert taken == [None]


def test_an_event_that_arrives_wakes_those_who_wait(queue: InvocationQueue) -> None:
    taken: list[Invocation | None] = []
    waiting = threading.Thread(target=lambda: taken.append(queue.take()))
    waiting.start()
    queue.put("arn", "event")
    waiting.join(10)
    assert [item.event for item in taken if item] == ["event"]


def test_after_closing_nothing_is_taken_for_done(tmp_path: Path) -> None:
    queue = InvocationQueue(tmp_path / "queue.sqlite3")
    queue.put("arn", "event")
    invocation = take(queue)
    queue.close()
    queue.remove(invocation)
    assert len(InvocationQueue(tmp_path / "queue.sqlite3")) == 1


def test_an_event_that_is_due_later_is_taken_when_it_is_due(queue: InvocationQueue) -> None:
    queue.put("arn", "late", after_s=0.05)
    assert take(queue).event == "late"


def test_every_reader_that_waits_gets_its_event(queue: InvocationQueue) -> None:
    taken: list[Invocation | None] = []
    readers = [threading.Thread(target=lambda: taken.append(queue.take())) for _ in range(2)]
    for reader in readers:
        reader.start()
    queue.put("arn", "late", after_s=0.2)
    queue.put("arn", "now")
    for reader in readers:
        reader.join(10)
    assert [item.event for item in taken if item] == ["now", "late"]


def test_a_new_time_replaces_the_one_before(queue: InvocationQueue) -> None:
    first, second = queue.put("arn", 1), queue.put("arn", 2)
    queue.reschedule(first, after_s=0.1)
    assert [take(queue).id, take(queue).id] == [second, first]


def test_an_event_that_is_handled_gets_no_new_time(queue: InvocationQueue) -> None:
    queue.put("arn", 1)
    queue.reschedule(take(queue).id, after_s=0)
    queue.put("arn", 2)
    assert take(queue).event == 2
