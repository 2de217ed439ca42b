"""Reads the classifier files; each invalid file becomes a separate import error in Airflow."""

from collections.abc import Iterator
from pathlib import Path

from airflow.sdk import DAG, get_parsing_context
from airflow.sdk.exceptions import AirflowTimetableInvalid

from image_classifier.classifier import Classifier, classifier_files, classifier_folders
from image_classifier.contracts.errors import ClassifierFileError
from image_classifier_airflow.assets import schedule_of
from image_classifier_airflow.unusable import report_unusable


def usable_classifiers() -> Iterator[Classifier]:
    """Yield every classifier with a valid file; in a task's process only that of the task's Dag."""
    first: dict[str, Path] = {}
    only = get_parsing_context().dag_id
    for file in classifier_files(classifier_folders()):
        if only not in (None, train_and_deploy_dag_id(file.stem)):
            continue
        try:
            _refuse_second(file, first=first.setdefault(file.stem, file))
            classifier = Classifier.from_file(file)
            _check_schedule(classifier, file=file)
        except ClassifierFileError as error:
            report_unusable(file, error)
        else:
            yield classifier


def train_and_deploy_dag_id(classifier: str) -> str:
    """Return the id of the Dag of a classifier's file."""
    return f"{classifier}_train_and_deploy"


def _refuse_second(file: Path, *, first: Path) -> None:
    if file != first:
        raise ClassifierFileError(f"{file} has the name of {first}; a classifier's name is its file's: rename one.")


def _check_schedule(classifier: Classifier, *, file: Path) -> None:
    """Check the cron expression; without this check Airflow would refuse all Dags of the Dag file.

    Raises:
        ClassifierFileError: Airflow refuses the schedule, or its day does not exist, such as the 31st of February.

    """
    if classifier.schedule is None:
        return
    cron = classifier.schedule.cron
    try:
        DAG(classifier.name, schedule=schedule_of(classifier), max_active_runs=1).validate()  # type: ignore[no-untyped-call]
    except AirflowTimetableInvalid as error:
        message = f"{file} cannot be used. schedule is {cron!r}: {error}. Use a cron expression."
        raise ClassifierFileError(message) from error
    if cron is None or cron.startswith("@"):
        return
    from croniter import CroniterBadDateError, croniter  # type: ignore[import-untyped]

    try:
        croniter(cron).get_next()
    except CroniterBadDateError as error:
        message = f"{file} cannot be used. schedule is {cron!r}, whose next run never comes: choose another day."
        raise ClassifierFileError(message) from error
