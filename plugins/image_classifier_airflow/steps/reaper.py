"""The tasks of the reaper: what Airflow knows of the tasks behind what costs, and what the classifiers' files want."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier, classifier_files, classifier_folders
from image_classifier.contracts.errors import ClassifierFileError
from image_classifier.train.owners import Owner
from image_classifier.watch import unused as reaper
from image_classifier_airflow.steps import clients
from image_classifier_airflow.task_states import FINISHED, states_of_run

if TYPE_CHECKING:
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

DEFAULT_CONNECTION = "aws_default"


def stop_orphaned_jobs(ti: "RuntimeTaskInstanceProtocol") -> list[str]:
    """Stop training jobs whose task is over; returns their names. The task's log tells what was found and why."""

    def judge(owner: Owner) -> reaper.Judgement:
        states = states_of_run(ti, dag_id=owner.dag_id, run_id=owner.run_id)
        if owner.task not in states:
            return "unknown"
        return "over" if states[owner.task] in FINISHED else "wanted"

    bucket = Settings.from_env().bucket
    return [
        job
        for conn in _connections()
        for job in reaper.stop_orphaned_jobs(clients.sagemaker(conn), bucket=bucket, judge=judge)
    ]


def check_endpoints_wanted() -> None:
    """Be red while an endpoint costs that no classifier's file wants; an unreadable file wants its own."""
    names = [file.stem for file in classifier_files(classifier_folders())]
    bucket = Settings.from_env().bucket
    for conn in _connections():
        reaper.check_endpoints_wanted(clients.sagemaker(conn), bucket=bucket, classifiers=names)


def _connections() -> list[str]:
    """Every connection that a classifier uses; the default one for those whose file is gone."""
    return sorted({DEFAULT_CONNECTION, *_of_files()})


def _of_files() -> Iterator[str]:
    for file in classifier_files(classifier_folders()):
        try:
            yield Classifier.from_file(file).aws_conn_id
        except ClassifierFileError:
            continue  # an import error of its own in Airflow's pages
