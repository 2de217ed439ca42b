"""The tasks of the teardown Dag: the same inventory for all of them, made anew each time."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from image_classifier.classifier import Classifier, classifier_files, classifier_folders
from image_classifier.resources import teardown
from image_classifier.resources.inventory import Clients, Teardown, inventory
from image_classifier.settings import Settings
from image_classifier_airflow.steps import clients

log = logging.getLogger(__name__)

Params = Mapping[str, Any]
DEFAULT_CONNECTION = "aws_default"  # for a classifier whose file is gone


def list_resources(params: Params) -> dict[str, int]:
    """Show what will be deleted, thing by thing, in the task's log; returns how many of each kind."""
    teardown.check_confirmed(params["classifier"], confirm=params["confirm"])
    found = inventory(*_of(params))
    log.info("Will be deleted of %s:\n%s", params["classifier"], found.as_table())
    return found.counts


def delete_upload_trigger(params: Params) -> None:
    _run(teardown.delete_upload_trigger, params)


def stop_training_jobs(params: Params) -> None:
    _run(teardown.stop_training_jobs, params)


def delete_function(params: Params) -> None:
    _run(teardown.delete_function, params)


def delete_endpoint(params: Params) -> None:
    _run(teardown.delete_endpoint, params)


def delete_endpoint_configs(params: Params) -> None:
    _run(teardown.delete_endpoint_configs, params)


def delete_models(params: Params) -> None:
    _run(teardown.delete_models, params)


def delete_log_groups(params: Params) -> None:
    _run(teardown.delete_log_groups, params)


def delete_objects(params: Params) -> None:
    _run(teardown.delete_objects, params)


def check_nothing_costs(params: Params) -> None:
    _run(teardown.check_nothing_costs, params)


def _run(step: Callable[[Clients, Teardown], object], params: Params) -> None:
    """Every task checks the confirmation: one that is cleared and run alone deletes as much as the whole Dag."""
    teardown.check_confirmed(params["classifier"], confirm=params["confirm"])
    step(*_of(params))


def _of(params: Params) -> tuple[Clients, Teardown]:
    request = Teardown(
        classifier=params["classifier"],
        bucket=Settings.from_env().bucket,
        keep_images=params["keep_images"],
        keep_models=params["keep_models"],
        keep_predictions=params["keep_predictions"],
    )
    return clients.of_a_classifier(_connection(request.classifier)), request


def _connection(classifier: str) -> str:
    files = [file for file in classifier_files(classifier_folders()) if file.stem == classifier]
    return Classifier.from_file(files[0]).aws_conn_id if files else DEFAULT_CONNECTION
