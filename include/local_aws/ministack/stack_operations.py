"""Says which operations on CloudFormation's stacks are in progress, and ends those that a kill has interrupted."""

import logging
from collections.abc import Iterator
from typing import Any

from local_aws.ministack.modules import cloudformation

log = logging.getLogger(__name__)

_ENDED_AS = {"UPDATE": "UPDATE_ROLLBACK_COMPLETE", "IMPORT": "IMPORT_ROLLBACK_COMPLETE"}
_AFTER_A_KILL = "The local AWS was ended in the middle of it"


def are_in_progress() -> bool:
    """Return whether MiniStack works on a stack at this moment."""
    return any(_is_in_progress(stack) for stack in _stacks())


def end_interrupted() -> None:
    """Give each stack that was saved in the middle of an operation a status from which the next one may begin.

    Nobody works on such a stack any more, and MiniStack refuses every operation on it. One that was updated keeps what
    it had, and its next update does everything again.
    """
    for stack in _stacks():
        if _is_in_progress(stack):
            interrupted = stack["StackStatus"]
            operation = interrupted.partition("_")[0]
            stack["StackStatus"] = _ENDED_AS.get(operation, f"{operation}_FAILED")
            stack["StackStatusReason"] = _AFTER_A_KILL
            stack["_template"] = {}  # an update is refused if it would change nothing of it
            log.warning("Stack %s was %s and is %s now", stack["StackName"], interrupted, stack["StackStatus"])


def _stacks() -> Iterator[dict[str, Any]]:
    """Yield the stacks of every account and region; a request sees only its own."""
    yield from list(cloudformation._stacks._data.values())


def _is_in_progress(stack: dict[str, Any]) -> bool:
    # A stack in review is one whose change set nobody has executed yet.
    status: str = stack["StackStatus"]
    return status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS"
