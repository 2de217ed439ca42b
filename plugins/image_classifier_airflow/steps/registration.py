"""Registers the model of a run, with everything that is needed to deploy it later without training."""

from typing import TYPE_CHECKING, Any

from image_classifier.aws.names import model_package_group_name
from image_classifier.classifier import Classifier
from image_classifier_airflow.steps import clients

if TYPE_CHECKING:
    from image_classifier.evaluate.evaluation import Evaluation

Json = dict[str, Any]


def register_model(candidate: "Evaluation", job: Json, dataset: Json, *, classifier: Classifier) -> str:
    """Write model.json, and register the model with its report unless it is registered; return the version's ARN.

    A model that is refused or rejected has its model.json, too: a rollback may deploy it one day.
    """
    from image_classifier.deploy.model_file import publish_model_file
    from image_classifier.evaluate.evaluation import REPORT, stored_report
    from image_classifier.promote import registry

    s3, training_job = clients.s3(classifier.aws_conn_id), job["training_job"]
    report = stored_report(s3, candidate) if dataset["num_test_samples"] else None
    publish_model_file(
        s3,
        bucket=candidate.bucket,
        classifier=classifier,
        labels_key=dataset["labels_key"],
        training_job=training_job,
        report=report,
    )
    return registry.ensure_version(
        clients.sagemaker(classifier.aws_conn_id),
        registry.TrainedModel(training_job, job["image"], job["model_artifact"], classifier.algorithm),
        group=model_package_group_name(classifier.name),
        labels=dataset["labels_sha256"],
        report=report,
        report_uri=candidate.uri(candidate.prefix + REPORT),
    )
