"""The functions behind the Dags' tasks: they fetch clients and settings, and call the library."""

from collections.abc import Callable
from typing import Any

from airflow.sdk import task


def step(function: Callable[..., Any], *, multiple_outputs: bool = False, **arguments: Any) -> Any:
    """A task that calls `function`, under its name and with its docstring as the task's page.

    Arguments that are named like something of the run, such as `params` and `run_id`, Airflow fills in itself. A result
    stays one XCom; `multiple_outputs` makes an XCom of each of its keys, for tasks that take parts of it.
    """
    return task(multiple_outputs=multiple_outputs, **arguments)(function)
