"""Checks tuning jobs of the built-in algorithm: its metrics, and the hyperparameters that can be tuned.

From the developer guide's page "Tune an Image Classification Model".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_aws.sagemaker.protocol.errors import validation_error
from local_aws.sagemaker.training.algorithm_rules import METRIC_DEFINITIONS, check_metric_definitions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local_aws.sagemaker.documents import Document
    from local_aws.sagemaker.tuning.ranges import Range

METRICS = tuple(definition["Name"] for definition in METRIC_DEFINITIONS)
OPTIMIZERS = ("sgd", "adam", "rmsprop", "nag")
TUNABLE = {  # type, smallest and largest value
    "beta_1": ("Continuous", 1e-6, 0.999),
    "beta_2": ("Continuous", 1e-6, 0.999),
    "eps": ("Continuous", 1e-8, 1.0),
    "gamma": ("Continuous", 1e-8, 0.999),
    "learning_rate": ("Continuous", 1e-6, 0.5),
    "mini_batch_size": ("Integer", 8, 512),
    "momentum": ("Continuous", 0.0, 0.999),
    "weight_decay": ("Continuous", 0.0, 0.999),
    "optimizer": ("Categorical", 0, 0),
}


def check(
    image: str, *, ranges: Sequence[Range], objective: Document, metric_definitions: list[Document] | None
) -> None:
    """Refuse what AWS refuses in a tuning job with the built-in image.

    Raises:
        ServiceError: names the metric or the hyperparameter.

    """
    check_metric_definitions(metric_definitions)
    name, direction = objective["MetricName"], objective["Type"]
    if name not in METRICS:
        raise validation_error(
            f"The objective metric for the hyperparameter tuning job, [{name}], isn't valid for the [{image}] "
            "algorithm. Choose a valid objective metric."
        )
    if direction != "Maximize":
        raise validation_error(
            f"The objective metric type, [{direction}], that you specified for objective metric, [{name}], isn't valid "
            f"for the [{image}] algorithm. Choose a valid objective metric type."
        )
    for item in ranges:
        _check_tunable(item)


def _check_tunable(item: Range) -> None:
    if item.name not in TUNABLE:
        raise validation_error(f"The hyperparameter {item.name} can't be tuned; choose from {', '.join(TUNABLE)}.")
    kind, low, high = TUNABLE[item.name]
    if item.kind != kind:
        raise validation_error(f"The hyperparameter {item.name} is tuned as {kind}; found a range of type {item.kind}.")
    if kind == "Categorical":
        unknown = [value for value in item.values if value not in OPTIMIZERS]
        if unknown:
            raise validation_error(f"The hyperparameter {item.name} can't be {', '.join(unknown)}.")
    elif item.low < low or item.high > high:
        raise validation_error(
            f"The range of {item.name} must be within {low} and {high}; found {item.low} to {item.high}."
        )
