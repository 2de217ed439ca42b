"""The functions behind the Dags' tasks: they fetch clients and settings, and call the library."""

from collections.abc import Callable
from typing import Any

from airflow.sdk import task


def step(function: Callable[..., Any], *, multiple_outputs: bool = False, **arguments: Any) -> Any:
    """A task that calls `function`, under its name and with its docstring as the task's page.

    Arguments that are named like something of the run, such as `params` and `run_id`, Airflow fills in itself. A result
    stays one XCom; `multiple_outputs` makes an XCom of each of its keys, for tasks that take parts of it. The buttons
    in its page are what the step's owner has in `links` under the step's name.
    """
    return _with_links(function, task(multiple_outputs=multiple_outputs, **arguments)(function))


def mapped(function: Callable[..., Any], **arguments: Any) -> Any:
    """A task like a step's, once for each item of the list that is given for one of the function's arguments."""
    return task(multiple_outputs=False, **arguments)(function).expand


def gate(function: Callable[..., Any], **arguments: Any) -> Any:
    """A task like a step's; when `function` returns False, the run ends there and every later task is skipped."""
    return _with_links(function, task.short_circuit(**arguments)(function))


def _with_links(function: Callable[..., Any], decorated: Any) -> Any:
    links = getattr(getattr(function, "__self__", None), "links", {}).get(function.__name__, ())

    def make(*inputs: Any) -> Any:
        result: Any = decorated(*inputs)
        result.operator.operator_extra_links = tuple(links)
        return result

    return make
