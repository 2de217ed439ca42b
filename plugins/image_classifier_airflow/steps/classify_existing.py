"""Implements the tasks of the Dag that classifies images which are in the bucket already."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier, classifier_files, classifier_folders
from image_classifier.contracts.errors import ClassifierFileError
from image_classifier_airflow.steps import clients

if TYPE_CHECKING:
    from datetime import datetime

    from image_classifier.classify_existing.run import Request

Params = Mapping[str, Any]


def plan(params: Params, dag_run: Any) -> list[int]:
    """Count the images, check the cost, and return the numbers of the shares, one per mapped task.

    Raises:
        ClassifierFileError: there is no classifier file of that name.
        BudgetError: the images may cost more than the run or the file allows.

    """
    from image_classifier.classify_existing.run import plan as plan_run

    classifier = classifier_of(params["classifier"])
    limits = [limit for limit in (params["max_cost_usd"], classifier.max_cost_usd) if limit is not None]
    request = _request(params, started=dag_run.start_date)
    number = plan_run(clients.s3(classifier.aws_conn_id), request, max_cost_usd=min(limits, default=None))
    return list(range(min(params["tasks"], number)))


def classify(share: int, params: Params, dag_run: Any) -> dict[str, int]:
    """Classify one share of the images; return their number.

    Raises:
        PredictionError: images failed; the message names the first ones.

    """
    from image_classifier.classify_existing.run import classify_share

    conn = classifier_of(params["classifier"]).aws_conn_id
    done = classify_share(
        clients.functions(conn),
        clients.s3(conn),
        _request(params, started=dag_run.start_date),
        share=share,
        shares=params["tasks"],
        concurrency=params["concurrency"],
    )
    return {"classified": done.classified}


def _request(params: Params, *, started: "datetime") -> "Request":
    from image_classifier.classify_existing.replays import Target
    from image_classifier.classify_existing.run import Request

    target = Target(params["classifier"], Settings.from_env().bucket)
    return Request(target, prefix=params["prefix"], again=params["again"], started=started)


def classifier_of(name: str) -> Classifier:
    """Return the classifier of that name.

    Raises:
        ClassifierFileError: the file does not exist, or it cannot be used.

    """
    files = {file.stem: file for file in classifier_files(classifier_folders())}
    if name not in files:
        raise ClassifierFileError(f"There is no classifier file {name}.yaml; there are {', '.join(sorted(files))}.")
    return Classifier.from_file(files[name])
