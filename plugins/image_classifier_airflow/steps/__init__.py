"""The functions behind the Dags' tasks: they fetch clients and settings, and call the library."""

from collections.abc import Callable, Sequence
from typing import Any

from airflow.sdk import BaseOperatorLink, task


def step(
    function: Callable[..., Any],
    *,
    multiple_outputs: bool = False,
    links: Sequence[BaseOperatorLink] = (),
    **arguments: Any,
) -> Any:
    """A task that calls `function`, under its name and with its docstring as the task's page.

    Arguments that are named like something of the run, such as `params` and `run_id`, Airflow fills in itself. A result
    stays one XCom; `multiple_outputs` makes an XCom of each of its keys, for tasks that take parts of it. `links` are
    the buttons in the task's page.
    """
    decorated = task(multiple_outputs=multiple_outputs, **arguments)(function)

    def make(*inputs: Any) -> Any:
        result: Any = decorated(*inputs)
        result.operator.operator_extra_links = tuple(links)
        return result

    return make
