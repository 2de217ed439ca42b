"""Runs a function in a task. Importing Airflow's task decorators instead takes 20 ms, in the process of every task."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from airflow.sdk import BaseOperator, BaseOperatorLink, Context
from airflow.sdk.bases.skipmixin import SkipMixin

from image_classifier_airflow.aws_errors import with_our_errors


class StepOperator(BaseOperator):
    """Call `function` and return its result.

    Its parameters that are named like a variable of Airflow's context, such as `params` and `run_id`, are filled in.

    Args:
        function: any function; its docstring is the task's documentation.
        arguments: its first positional arguments; they may be other tasks' results.
        links: the task's links.
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
        super().__init__(doc_md=function.__doc__, **kwargs)
        self.function = function
        self.arguments = list(arguments)
        self.operator_extra_links = tuple(links)

    @with_our_errors
    def execute(self, context: Context) -> Any:
        """Call the function.

        Raises:
            ImageClassifierError: an error of the function; botocore's and the operating system's are turned into ours.

        """
        known: dict[str, Any] = {**context}
        names = inspect.signature(self.function).parameters
        return self.function(*self.arguments, **{name: known[name] for name in names if name in known})


class GateOperator(StepOperator, SkipMixin):
    """Call `function`, and skip every later task if it returns False; Airflow's ShortCircuitOperator does the same."""

    def execute(self, context: Context) -> Any:
        """Call the function and return its result."""
        result = super().execute(context)
        if not result:
            later: Any = context["task"].get_flat_relatives(upstream=False)
            self.log.info("Skipping all later tasks")
            self.skip(ti=context["ti"], tasks=[task for task in later if not task.is_teardown])
        return result
