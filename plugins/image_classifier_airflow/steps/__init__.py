"""Contains the functions behind the Dags' tasks: they fetch clients and settings, and call the library."""

from collections.abc import Callable
from typing import Any

from image_classifier_airflow.aws_errors import with_our_errors
from image_classifier_airflow.operators.step import GateOperator, StepOperator

Task = Callable[..., Any]  # takes the function's first arguments, which may be other tasks' results


def step(function: Callable[..., Any], **arguments: Any) -> Task:
    """Make a task that calls `function`, whose name it has; `arguments` are BaseOperator's.

    The result is one XCom; with `multiple_outputs` each of its keys also is one. The task's links are those that the
    `links` attribute of the function's object has under the function's name.
    """
    return lambda *inputs: StepOperator(arguments=inputs, **_of(function), **arguments).output


def gate(function: Callable[..., Any], **arguments: Any) -> Task:
    """Make a task that, when `function` returns False, skips every later task."""
    return lambda *inputs: GateOperator(arguments=inputs, **_of(function), **arguments).output


def mapped(function: Callable[..., Any], **arguments: Any) -> Task:
    """Make a mapped task: `function` runs once for each item of the list given for one of its arguments."""
    from airflow.sdk import task

    return task(multiple_outputs=False, **arguments)(with_our_errors(function)).expand


def _of(function: Callable[..., Any]) -> dict[str, Any]:
    links = getattr(getattr(function, "__self__", None), "links", {})
    return {"task_id": function.__name__, "function": function, "links": links.get(function.__name__, ())}
