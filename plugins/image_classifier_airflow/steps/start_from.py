"""Chooses what a training job starts from: nothing, or the live model."""

import logging
from typing import Any

from image_classifier.classifier import Classifier
from image_classifier_airflow.steps import clients

log = logging.getLogger(__name__)


def started_from(request: dict[str, Any], *, classifier: Classifier) -> dict[str, Any]:
    """Apply `training.start_from` to CreateTrainingJob's request; the log says why the live model is not used."""
    if classifier.training.start_from == "nothing":
        return request
    from image_classifier.deploy.serving import serving_model
    from image_classifier.train.start_from import from_champion

    sagemaker, s3 = clients.sagemaker(classifier.aws_conn_id), clients.s3(classifier.aws_conn_id)
    serving = serving_model(sagemaker, classifier=classifier.name)
    start = from_champion(sagemaker, s3, request, champion=serving.training_job if serving else None)
    log.info("%s", start.sentence)
    return start.request
