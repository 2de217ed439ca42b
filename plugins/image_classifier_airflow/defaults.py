"""Defines the default arguments of a classifier's Dag and its tasks: connection, retries, time limit."""

from datetime import timedelta
from typing import Any

from image_classifier.classifier import Classifier
from image_classifier_airflow.notifications.deadline import deadlines
from image_classifier_airflow.notifications.failure import keep_error, tell_failure
from image_classifier_airflow.retries import RETRY_POLICY

SIX_MINUTES: dict[str, Any] = {"retries": 6, "retry_delay": timedelta(minutes=1), "retry_exponential_backoff": 0}

# Not "backfill": a run has nothing to do with its date, and a backfill has a `max_active_runs` of its own, at first 10.
RUN_TYPES: Any = ("manual", "scheduled", "operator_triggered", "asset_triggered", "asset_materialization")


def dag_arguments(classifier: Classifier) -> dict[str, Any]:
    """Return the arguments of a classifier's Dag besides id, schedule and text."""
    return {
        "description": classifier.description,
        "catchup": False,
        "max_active_runs": 1,
        "allowed_run_types": RUN_TYPES,
        "on_failure_callback": tell_failure(classifier),
        "deadline": deadlines(classifier),
        "default_args": default_args(classifier),
        "tags": ["image-classifier", classifier.name],
    }


def default_args(classifier: Classifier) -> dict[str, Any]:
    """Return the default_args of a classifier's Dag."""
    return {
        "owner": "image-classifier",
        "aws_conn_id": classifier.aws_conn_id,
        "retries": 3,
        "retry_delay": timedelta(seconds=30),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=10),
        "retry_policy": RETRY_POLICY,
        "on_failure_callback": keep_error,
        "execution_timeout": timedelta(hours=1),
    }
