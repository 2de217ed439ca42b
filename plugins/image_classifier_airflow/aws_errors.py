"""Converts errors of botocore and the operating system to ours, which decide whether Airflow retries a task."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from botocore.exceptions import BotoCoreError, ClientError

from image_classifier.aws.client_errors import is_expired, is_transient
from image_classifier.contracts.errors import AwsRefusalError, ResourceBusyError

Function = TypeVar("Function", bound=Callable[..., Any])


def with_our_errors(function: Function) -> Function:
    """Wrap the function of a task, or an operator's `execute`.

    The wrapped function raises:
        ResourceBusyError: AWS has a transient error, or the credentials expired; a later try may succeed.
        AwsRefusalError: AWS refuses the request, or a file cannot be read or written; the task is not retried.

    """

    @functools.wraps(function)
    def run(*arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        except (ClientError, BotoCoreError) as error:
            task = _task(function, arguments)
            if is_transient(error) or is_expired(error):
                raise ResourceBusyError(f"{task}: AWS does not answer at present: {error}") from error
            message = f"{task}: {error}. Check what was asked for, and the role of the Airflow connection."
            raise AwsRefusalError(message) from error
        except OSError as error:
            raise AwsRefusalError(f"{_task(function, arguments)} cannot read or write a file: {error}") from error

    return cast("Function", run)


def _task(function: Callable[..., Any], arguments: tuple[Any, ...]) -> str:
    """Return the task's name: an operator's task id, or the name of the task's function."""
    return str(getattr(arguments[0] if arguments else None, "task_id", function.__name__))
