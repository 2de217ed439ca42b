"""Checks that messages of queues which no saved state holds come back after a kill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from local_aws.ministack.message_journal import MessageJournal

if TYPE_CHECKING:
    from pathlib import Path

ARN = "arn:aws:sqs:us-east-1:000000000000:uploads"


def message(name: str) -> Any:
    return {"id": name, "body": "{}", "visible_at": 5.0}


@pytest.fixture
def journal(tmp_path: Path) -> MessageJournal:
    return MessageJournal(tmp_path / "messages")


def restored(file: Path, *, saved: list[Any]) -> list[str]:
    """The ids in the queue after a start with a saved state."""
    queue: Any = {"messages": saved}
    MessageJournal(file).restore({ARN: queue}.get)
    return [held["id"] for held in queue["messages"]]


def test_a_message_that_the_saved_state_lacks_comes_back(tmp_path: Path, journal: MessageJournal) -> None:
    journal.add(ARN, message("a"))
    journal.add(ARN, message("b"))

    assert restored(tmp_path / "messages", saved=[message("a")]) == ["a", "b"]


def test_a_restored_message_is_the_one_that_was_stored(tmp_path: Path, journal: MessageJournal) -> None:
    journal.add(ARN, message("a"))
    queue: Any = {"messages": []}

    MessageJournal(tmp_path / "messages").restore({ARN: queue}.get)

    assert queue["messages"] == [message("a")]


def test_messages_of_a_deleted_queue_are_dropped(tmp_path: Path, journal: MessageJournal) -> None:
    journal.add(f"{ARN}-deleted", message("a"))
    journal.add(ARN, message("b"))

    assert restored(tmp_path / "messages", saved=[]) == ["b"]


def test_only_messages_before_the_save_are_forgotten(tmp_path: Path, journal: MessageJournal) -> None:
    journal.add(ARN, message("a"))
    last = journal.last()
    journal.add(ARN, message("b"))

    journal.forget(last)

    assert restored(tmp_path / "messages", saved=[]) == ["b"]


def test_an_empty_journal_has_no_newest_message(journal: MessageJournal) -> None:
    assert journal.last() == 0
