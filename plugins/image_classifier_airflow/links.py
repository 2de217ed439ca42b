"""Adds links to a task's page: training job, model, endpoint, function, their logs, S3 prefixes.

Airflow computes a link in the task's process, when the task is deferred and when it ends, and stores it as an XCom. So
the link to a training job exists while the task waits for the job. The links belong to the operators; a plugin's
`operator_extra_links` would be computed in the API server, which has no connection to AWS.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, BaseOperatorLink

from image_classifier.aws import console
from image_classifier.aws.names import Keys, endpoint_log_group, function_log_group, function_name
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier_airflow.connection import client
from image_classifier_airflow.steps import clients

if TYPE_CHECKING:
    from airflow.sdk.types import TaskInstanceKey

Address = Callable[[Any], str | None]


class ResourceLink(BaseOperatorLink):
    """A button with an address that is computed from the operator; without an address Airflow disables it.

    Args:
        name: the button's text.
        address: returns the address, or None; it gets the operator after its task has run.

    """

    def __init__(self, name: str, address: Address) -> None:
        """Store the arguments; a link never calls AWS."""
        self._name, self._address = name, address

    @property
    def name(self) -> str:
        """The button's text."""
        return self._name

    @property
    def xcom_key(self) -> str:
        """The XCom key of the address, one per link; the inherited key is one per class."""
        return f"_link_{re.sub(r'[^a-z]+', '_', self._name.lower())}"

    def get_link(self, operator: BaseOperator, *, ti_key: "TaskInstanceKey") -> str:  # noqa: ARG002
        """Return the address, or an empty string."""
        return self._address(operator) or ""


def images_link(classifier: Classifier) -> ResourceLink:
    """Return the link to the prepared images and the versions of the data set."""
    return _prefix_link("Prepared images", classifier, prefix=Keys(classifier.name).dataset)


def records_link(classifier: Classifier) -> ResourceLink:
    """Return the link to the prediction records."""
    return _prefix_link("Prediction records", classifier, prefix=Keys(classifier.name).predictions)


def evaluations_link(classifier: Classifier) -> ResourceLink:
    """Return the link to the evaluation reports, by model and test images."""
    return _prefix_link("Evaluations", classifier, prefix=Keys(classifier.name).evaluations)


def decisions_link(classifier: Classifier) -> ResourceLink:
    """Return the link to the promotion decisions."""
    return _prefix_link("Decisions", classifier, prefix=Keys(classifier.name).promotions)


def _prefix_link(name: str, classifier: Classifier, *, prefix: str) -> ResourceLink:
    def address(_: Any) -> str | None:
        s3 = clients.s3(classifier.aws_conn_id)
        return console.objects(s3.meta, Settings.from_env().bucket, prefix=prefix)

    return ResourceLink(name, address)


def _logs(operator: Any, group: str, *, streams: str = "") -> str | None:
    return console.logs(client(operator, "logs").meta, group, streams=streams)


def _training_job(operator: Any) -> str | None:
    return console.training_job(operator.hook.conn.meta, operator.job_name)


def _training_log(operator: Any) -> str | None:
    from image_classifier.train.job_log import LOG_GROUP

    return _logs(operator, LOG_GROUP, streams=f"{operator.job_name}/")


def _transform_job(operator: Any) -> str | None:
    return console.transform_job(operator.hook.conn.meta, operator.job_name) if operator.job_name else None


def _transform_log(operator: Any) -> str | None:
    return _job_log(operator, "/aws/sagemaker/TransformJobs")


def _job_log(operator: Any, group: str) -> str | None:
    return _logs(operator, group, streams=f"{operator.job_name}/") if operator.job_name else None


def _processing_job(operator: Any) -> str | None:
    return console.processing_job(operator.hook.conn.meta, operator.job_name) if operator.job_name else None


def _processing_log(operator: Any) -> str | None:
    return _job_log(operator, "/aws/sagemaker/ProcessingJobs")


def _tuning_job(operator: Any) -> str | None:
    return console.tuning_job(operator.hook.conn.meta, operator.job_name) if operator.job_name else None


def _model(operator: Any) -> str | None:
    return console.model(operator.hook.conn.meta, operator.config["ModelName"])


def _endpoint_config(operator: Any) -> str | None:
    return console.endpoint_config(operator.hook.conn.meta, operator.config["EndpointConfigName"])


def _endpoint(operator: Any) -> str | None:
    return console.endpoint(operator.hook.conn.meta, operator.config["EndpointName"])


def _endpoint_log(operator: Any) -> str | None:
    return _logs(operator, endpoint_log_group(operator.config["EndpointName"]))


def _function(operator: Any) -> str | None:
    return console.function(operator.hook.conn.meta, function_name(operator.config["classifier"]))


def _function_log(operator: Any) -> str | None:
    return _logs(operator, function_log_group(operator.config["classifier"]))


def _uploads(operator: Any) -> str | None:
    config = operator.config
    return console.objects(operator.s3.meta, config["bucket"], prefix=Keys(config["classifier"]).incoming)


TRAINING_LINKS = (ResourceLink("Training job", _training_job), ResourceLink("Training log", _training_log))
TUNING_LINKS = (ResourceLink("Tuning job", _tuning_job),)
TRANSFORM_LINKS = (ResourceLink("Transform job", _transform_job), ResourceLink("Transform log", _transform_log))
PROCESSING_LINKS = (ResourceLink("Processing job", _processing_job), ResourceLink("Processing log", _processing_log))
MODEL_LINKS = (ResourceLink("Model", _model),)
ENDPOINT_CONFIG_LINKS = (ResourceLink("Endpoint config", _endpoint_config),)
ENDPOINT_LINKS = (ResourceLink("Endpoint", _endpoint), ResourceLink("Endpoint log", _endpoint_log))
FUNCTION_LINKS = (ResourceLink("Function", _function), ResourceLink("Function log", _function_log))
UPLOAD_TRIGGER_LINKS = (ResourceLink("Uploads", _uploads),)
