"""Every statement of the shipped policies is needed: without it a call of a full run is denied."""

import json
from pathlib import Path

import pytest
from tests.permissions import reasons, record
from tests.permissions.policies import ACCOUNT, REGION, Statement, allows, statements

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


@pytest.mark.parametrize("kind", ["Training", "Transform", "Processing"])
def test_airflow_may_delete_the_logs_of_its_jobs_of_each_kind(kind: str) -> None:
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/sagemaker/{kind}Jobs"
    call = {"principal": "Airflow", "action": "logs:DeleteLogStream", "context": {}}

    assert allows(EVERYTHING, {**call, "resource": f"{group}:log-stream:image-classifier-digits-01/data-log"})
    assert not allows(EVERYTHING, {**call, "resource": f"{group}:log-stream:another/data-log"})
