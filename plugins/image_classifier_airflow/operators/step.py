"""Runs a function in a task; importing Airflow's task decorators would take 20 ms more in every task's process."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from airflow.sdk import BaseOperator, BaseOperatorLink, Context
from airflow.sdk.bases.skipmixin import SkipMixin

from image_classifier_airflow.aws_errors import with_our_errors


class StepOperator(BaseOperator):
    """Calls `function` and returns its result.

    Parameters of the function that have the name of a variable in Airflow's context, such as `params`, get its value.

    Args:
        function: any function; its docstring is the task's documentation.
        arguments: its first positional arguments; they may be other tasks' results.
        links: the task's links, which may read ``arguments`` and, once the function has returned, ``result``.
        kwargs: BaseOperator's arguments.

    """

    template_fields: Sequence[str] = ("arguments",)

    def __init__(
        self,
        *,
        function: Callable[..., Any],
        arguments: Iterable[Any] = (),
        links: Iterable[BaseOperatorLink] = (),
        **kwargs: Any,
    ) -> None:
        """Store the arguments."""
        super().__init__(**{"doc_md": function.__doc__, **kwargs})
        self.function = function
        self.arguments = list(arguments)
        self.result: Any = None
        self.operator_extra_links = tuple(links)

    @with_our_errors
    def execute(self, context: Context) -> Any:
        """Call the function.

        Raises:
            ImageClassifierError: the function failed; errors of botocore and the operating system are converted to
                ours.

        """
        known: dict[str, Any] = {**context}
        names = inspect.signature(self.function).parameters
        self.result = self.function(*self.arguments, **{name: known[name] for name in names if name in known})
        return self.result


class GateOperator(StepOperator, SkipMixin):
    """Calls `function`, and skips every later task if it returns False, as Airflow's ShortCircuitOperator does."""

    def execute(self, context: Context) -> Any:
        """Call the function and return its result."""
        result = super().execute(context)
        if not result:
            later: Any = context["task"].get_flat_relatives(upstream=False)
            self.log.info("Skipping all later tasks")
            self.skip(ti=context["ti"], tasks=[task for task in later if not task.is_teardown])
        return result
