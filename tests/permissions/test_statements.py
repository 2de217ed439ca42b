"""Every statement of the shipped policies is needed: without it a call of a full run is denied."""

import json
from pathlib import Path

import pytest
from tests.permissions import reasons, record
from tests.permissions.policies import Statement, allows, statements

CALLS = json.loads(record.RECORDED.read_text())
EVERYTHING = statements()
NEEDED = [statement for statement in EVERYTHING if any(allows([statement], call) for call in CALLS)]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call['principal']}-{call['action']}")
def test_every_recorded_call_is_allowed(call: dict[str, str]) -> None:
    assert allows(EVERYTHING, call)


@pytest.mark.parametrize("statement", NEEDED, ids=lambda item: f"{item.principal}-{item.policy}-{item.sid}")
def test_a_recorded_call_is_denied_without_the_statement(statement: Statement) -> None:
    others = [item for item in EVERYTHING if item != statement]

    assert not all(allows(others, call) for call in CALLS)


def test_no_reason_is_written_for_an_action_that_a_call_needs() -> None:
    called = {(call["principal"], call["action"]) for call in CALLS}

    assert called & set(reasons.OF_ACTIONS) == set()


def test_the_page_is_what_was_recorded() -> None:
    assert Path(record.PAGE).read_text() == record.page(CALLS)
