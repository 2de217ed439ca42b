"""Implements the tasks of the teardown Dag; each task lists the classifier's resources again."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier, classifier_files, classifier_folders
from image_classifier.contracts.errors import ClassifierFileError, ResourceBusyError
from image_classifier_airflow.classifiers import train_and_deploy_dag_id
from image_classifier_airflow.params import teardown_params
from image_classifier_airflow.steps import clients
from image_classifier_airflow.task_states import ACTIVE

if TYPE_CHECKING:
    from types import ModuleType

    from image_classifier.aws.clients import Clients
    from image_classifier.teardown.inventory import Teardown

log = logging.getLogger(__name__)

Params = Mapping[str, Any]
PARAMS = frozenset(teardown_params([]))
DEFAULT_CONNECTION = "aws_default"  # for a classifier whose file was deleted


def list_resources(params: Params, ti: Any) -> dict[str, int]:
    """List in the task's log everything that will be deleted; return the number of resources by kind.

    Raises:
        ResourceBusyError: a run of the classifier's Dag is active, which would create resources.
        ClassifierFileError: its schedule is on, or the params cannot be used.

    """
    from image_classifier.teardown.inventory import inventory

    _check(params)
    if not params["even_while_active"]:
        _check_at_rest(params["classifier"], ti)
    found = inventory(*_of(params))
    log.info("Will be deleted of %s:\n%s", params["classifier"], found.as_table())
    return found.counts


def delete_upload_trigger(params: Params) -> None:
    _run(params, lambda delete: delete.delete_upload_trigger)


def stop_training_jobs(params: Params) -> None:
    _run(params, lambda delete: delete.stop_training_jobs)
    _run(params, lambda delete: delete.stop_transform_jobs)
    _run(params, lambda delete: delete.stop_processing_jobs)


def delete_function(params: Params) -> None:
    _run(params, lambda delete: delete.delete_function)


def delete_endpoint(params: Params) -> None:
    _run(params, lambda delete: delete.delete_endpoint)


def delete_endpoint_configs(params: Params) -> None:
    _run(params, lambda delete: delete.delete_endpoint_configs)


def delete_models(params: Params) -> None:
    _run(params, lambda delete: delete.delete_models)
    _run(params, lambda delete: delete.delete_model_packages)


def delete_logs(params: Params) -> None:
    _run(params, lambda delete: delete.delete_logs)


def delete_objects(params: Params) -> None:
    _run(params, lambda delete: delete.delete_objects)


def check_nothing_costs(params: Params, ti: Any) -> None:
    """Check that nothing is left and that no run of the classifier's Dag is active, which could create it again.

    A run that was active until now may have created something that had been deleted, so all is deleted once more.

    Raises:
        ResourceBusyError: something is left, which is named, or a run is active.

    """
    _check(params)
    _check_no_run(params["classifier"], ti)
    _run(params, lambda delete: delete.delete_all)
    _run(params, lambda delete: delete.check_nothing_costs)
    _check_no_run(params["classifier"], ti)


def _check_at_rest(classifier: str, ti: Any) -> None:
    _check_no_run(classifier, ti)
    file = _file(classifier)
    if file and Classifier.from_file(file).schedule and not ti.get_dag(train_and_deploy_dag_id(classifier)).is_paused:
        message = (
            f"The Dag {train_and_deploy_dag_id(classifier)} has a schedule: its next run would build everything again. "
            "Pause it, then run this task again. Nothing was deleted."
        )
        raise ClassifierFileError(message)  # is not retried: waiting does not end a schedule


def _check_no_run(classifier: str, ti: Any) -> None:
    dag_id = train_and_deploy_dag_id(classifier)
    if active := ti.get_dr_count(dag_id=dag_id, states=ACTIVE):
        message = (
            f"{active} run(s) of the Dag {dag_id} are active, and build again what is deleted. Mark them failed, which "
            "stops their training job, or wait for their end; then run this task again."
        )
        raise ResourceBusyError(message)


def _check(params: Params) -> None:
    """Refuse unknown params: with the misspelt ``keep_image`` the images would be deleted."""
    from image_classifier.teardown import delete

    if unknown := sorted(set(params) - PARAMS):
        message = f"There is no param {', '.join(unknown)}; there are {', '.join(sorted(PARAMS))}. Nothing was deleted."
        raise ClassifierFileError(message)
    delete.check_confirmed(params["classifier"], confirm=params["confirm"])


def _run(params: Params, step: "Callable[[ModuleType], Callable[[Clients, Teardown], object]]") -> None:
    """Run a function of `image_classifier.teardown.delete`, which is imported only here: a Dag is built without it.

    Each task checks the confirmation first, because a task may be cleared and run alone.
    """
    from image_classifier.teardown import delete

    _check(params)
    step(delete)(*_of(params))


def _of(params: Params) -> "tuple[Clients, Teardown]":
    from image_classifier.teardown.inventory import Teardown

    request = Teardown(
        classifier=params["classifier"],
        bucket=Settings.from_env().bucket,
        keep_images=params["keep_images"],
        keep_models=params["keep_models"],
        keep_predictions=params["keep_predictions"],
    )
    return clients.of_a_classifier(_connection(request.classifier)), request


def _connection(classifier: str) -> str:
    file = _file(classifier)
    return Classifier.from_file(file).aws_conn_id if file else DEFAULT_CONNECTION


def _file(classifier: str) -> Path | None:
    return next((file for file in classifier_files(classifier_folders()) if file.stem == classifier), None)
