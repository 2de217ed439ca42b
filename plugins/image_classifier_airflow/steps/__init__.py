"""Contains the functions behind the Dags' tasks: they fetch clients and settings, and call the library."""

import functools
from collections.abc import Callable
from typing import Any

from airflow.sdk import task
from botocore.exceptions import BotoCoreError, ClientError

from image_classifier.aws.s3 import code_of, may_pass
from image_classifier.contracts.errors import AwsRefusalError, ResourceBusyError

EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired")  # the next try gets new credentials


def step(function: Callable[..., Any], *, multiple_outputs: bool = False, **arguments: Any) -> Any:
    """Make a task that calls `function`; the task has its name, and its docstring as documentation.

    Airflow fills in arguments that are named like a context variable, such as `params` and `run_id`. The result is one
    XCom; with `multiple_outputs` each of its keys also is one. The task's links are those that the `links` attribute of
    the function's object has under the function's name.
    """
    return _with_links(function, task(multiple_outputs=multiple_outputs, **arguments)(with_our_errors(function)))


def mapped(function: Callable[..., Any], **arguments: Any) -> Any:
    """Make a mapped task: `function` runs once for each item of the list given for one of its arguments."""
    return task(multiple_outputs=False, **arguments)(with_our_errors(function)).expand


def gate(function: Callable[..., Any], **arguments: Any) -> Any:
    """Make a task that, when `function` returns False, skips every later task."""
    return _with_links(function, task.short_circuit(**arguments)(with_our_errors(function)))


def _with_links(function: Callable[..., Any], decorated: Any) -> Any:
    links = getattr(getattr(function, "__self__", None), "links", {}).get(function.__name__, ())

    def make(*inputs: Any) -> Any:
        result: Any = decorated(*inputs)
        result.operator.operator_extra_links = tuple(links)
        return result

    return make


def with_our_errors(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with botocore's and the operating system's errors turned into ours.

    The function raises:
        ResourceBusyError: AWS does not answer at present; a later try may succeed.
        AwsRefusalError: AWS refuses the request, or a file cannot be read or written; it is not tried again.

    """

    @functools.wraps(function)
    def run(*arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        except (ClientError, BotoCoreError) as error:
            if may_pass(error) or (isinstance(error, ClientError) and code_of(error) in EXPIRED):
                raise ResourceBusyError(f"{function.__name__}: AWS does not answer at present: {error}") from error
            message = f"{function.__name__}: {error}. Check what was asked for, and the role of the Airflow connection."
            raise AwsRefusalError(message) from error
        except OSError as error:
            raise AwsRefusalError(f"{function.__name__} cannot read or write a file: {error}") from error

    return run
