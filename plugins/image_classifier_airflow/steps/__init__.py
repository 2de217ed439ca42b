"""Contains the functions of the Dags' tasks, which create clients, read settings and call the library."""

from collections.abc import Callable
from typing import Any

from image_classifier_airflow.operators.step import GateOperator, StepOperator

Task = Callable[..., Any]  # a function of the first arguments, which may be other tasks' results


def step(function: Callable[..., Any], **arguments: Any) -> Task:
    """Build a task that calls `function` and has its name; `arguments` are those of BaseOperator.

    The result is one XCom, and with `multiple_outputs` also one per key. The task's links are the entry of the
    function's name in the `links` attribute of the function's object.
    """
    return lambda *inputs: StepOperator(arguments=inputs, **_of(function), **arguments).output


def gate(function: Callable[..., Any], **arguments: Any) -> Task:
    """Build a task that skips every later task if `function` returns False."""
    return lambda *inputs: GateOperator(arguments=inputs, **_of(function), **arguments).output


def mapped(function: Callable[..., Any], **arguments: Any) -> Task:
    """Build a mapped task: `function` runs once for each item of a list, which is another task's result."""
    task = StepOperator.partial(task_id=function.__name__, function=function, doc_md=function.__doc__, **arguments)
    return lambda items: task.expand(arguments=items.map(_alone)).output


def _alone(item: Any) -> list[Any]:
    """Return the arguments of one mapped task."""
    return [item]


def _of(function: Callable[..., Any]) -> dict[str, Any]:
    links = getattr(getattr(function, "__self__", None), "links", {})
    return {"task_id": function.__name__, "function": function, "links": links.get(function.__name__, ())}
