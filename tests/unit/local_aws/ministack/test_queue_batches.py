"""Checks which messages of a batch fail by the answer of a function, as Lambda documents it."""

import pytest

from local_aws.ministack.queue_batches import failed_messages

SENT = ["a", "b"]


def failures(*names: object) -> dict[str, object]:
    return {"batchItemFailures": [{"itemIdentifier": name} for name in names]}


@pytest.mark.parametrize(
    "answer", [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}, '{"batchItemFailures": []}']
)
def test_an_answer_without_failures_fails_nothing(answer: object) -> None:
    assert failed_messages(answer, sent=SENT) == set()


def test_named_messages_fail_alone() -> None:
    assert failed_messages(failures("b"), sent=SENT) == {"b"}


@pytest.mark.parametrize(
    "answer",
    [failures(""), failures(None), failures("c"), {"batchItemFailures": [{}]}, {"batchItemFailures": 1}, "text", 7],
)
def test_an_answer_that_names_no_message_of_the_batch_fails_all(answer: object) -> None:
    assert failed_messages(answer, sent=SENT) == {"a", "b"}
