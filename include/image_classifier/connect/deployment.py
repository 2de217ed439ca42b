"""Stores the last deployment as a JSON object in S3; the watch Dag compares AWS with it.

The classifier's file may change at any time and takes effect in the next run, so it does not describe what is deployed
now.
"""

import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from image_classifier.aws import s3 as storage
from image_classifier.aws.client_errors import described
from image_classifier.aws.names import Keys, function_name
from image_classifier.classifier import Classifier
from image_classifier.connect.function_versions import ALIAS
from image_classifier.connect.notification import UploadTrigger
from image_classifier.connect.trigger import Mode, TriggerConfiguration, set_trigger, upload_trigger
from image_classifier.contracts.errors import StorageError

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient

log = logging.getLogger(__name__)


class Deployment(BaseModel):
    """One deployment of a classifier.

    Attributes:
        classifier: its name.
        training_job: the job that trained the model.
        endpoint_config: the config that the endpoint serves.
        function_version: the version behind the alias ``live``; a published version cannot be changed.
        alias_arn: the alias that S3 invokes.
        bucket: the bucket whose uploads are classified.
        trigger_mode: how uploads reach the function.
        instance_count: number of the endpoint's instances.
        instance_type: type of the endpoint's instances; empty if an earlier release wrote the object.
        usd_per_hour: price of one instance of the endpoint when it was deployed; None if the price is unknown.
        resumed_at: when the trigger was last changed from `paused` to another mode; None if it never was.
        went_back_from: training job of the model that a person went back from; empty if nobody did.
        went_back_in: id of the run in which a person went back; empty if nobody did.

    """

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())

    classifier: str
    training_job: str
    endpoint_config: str
    function_version: str
    alias_arn: str
    bucket: str
    trigger_mode: Mode = "direct"
    instance_count: int = 1
    instance_type: str = ""
    usd_per_hour: float | None = None
    resumed_at: datetime | None = None
    went_back_from: str = ""
    went_back_in: str = ""

    @property
    def trigger(self) -> UploadTrigger:
        """Return the event notification for the trigger mode."""
        return upload_trigger(self.trigger_mode, classifier=self.classifier, alias_arn=self.alias_arn)


def deployment_of(
    classifier: Classifier,
    *,
    bucket: str,
    training_job: str,
    endpoint_config: Mapping[str, Any],
    function: Mapping[str, str],
    usd_per_hour: Callable[[str], float | None],
) -> Deployment:
    """Return the record of the present deployment.

    Args:
        classifier: as deployed, with the run's params.
        bucket: the bucket whose uploads are classified.
        training_job: the job that trained the model.
        endpoint_config: CreateEndpointConfig's request.
        function: the result of `ensure_function` as a dict; its keys ``version`` and ``alias_arn`` are used.
        usd_per_hour: returns the price of one instance of an instance type; None if the price is unknown.

    """
    [variant] = endpoint_config["ProductionVariants"]
    return Deployment(
        classifier=classifier.name,
        training_job=training_job,
        endpoint_config=endpoint_config["EndpointConfigName"],
        function_version=function["version"],
        alias_arn=function["alias_arn"],
        bucket=bucket,
        trigger_mode=classifier.trigger,
        instance_count=variant["InitialInstanceCount"],
        instance_type=variant["InstanceType"],
        usd_per_hour=usd_per_hour(variant["InstanceType"]),
    )


def resumed(new: Deployment, before: Deployment | None, *, now: datetime) -> Deployment:
    """Return the new deployment with the time since which uploads are classified again after a pause."""
    if before is None or new.trigger_mode == "paused":
        return new
    return new.model_copy(update={"resumed_at": now if before.trigger_mode == "paused" else before.resumed_at})


def write_deployment(s3: "S3Client", deployment: Deployment) -> str:
    """Store the deployment; return the object's key.

    Raises:
        StorageError: S3 has a transient error.
        DatasetError: S3 refuses the request.

    """
    key = Keys(deployment.classifier).deployment
    body = deployment.model_dump_json(indent=1).encode()
    storage.write(s3, bucket=deployment.bucket, key=key, body=body, content_type="application/json")
    return key


def read_deployment(s3: "S3Client", *, bucket: str, classifier: str) -> Deployment | None:
    """Return the last deployment; None if there was none, or if a release that did not store it deployed.

    Raises:
        StorageError: S3 refuses the request, or the object is not a deployment.

    """
    key = Keys(classifier).deployment
    found = storage.read(s3, bucket=bucket, key=key)
    try:
        return _parsed(found)
    except (ValueError, ValidationError) as error:
        message = f"s3://{bucket}/{key} describes no deployment ({error}); run the classifier's Dag: it writes it."
        raise StorageError(message) from error


def deployment_before(s3: "S3Client", *, bucket: str, classifier: str) -> Deployment | None:
    """Return the last deployment to a run that writes it again; None also if the object is not a deployment.

    Raises:
        StorageError: S3 refuses the request.

    """
    key = Keys(classifier).deployment
    found = storage.read(s3, bucket=bucket, key=key)
    try:
        return _parsed(found)
    except (ValueError, ValidationError) as error:
        log.warning("s3://%s/%s describes no deployment, and is replaced: %s", bucket, key, error)
        return None


def _parsed(found: tuple[bytes, str] | None) -> Deployment | None:
    return Deployment.model_validate(json.loads(found[0])) if found else None


def change_trigger(
    functions: "LambdaClient", s3: "S3Client", sqs: "SQSClient", *, wanted: TriggerConfiguration
) -> bool:
    """Give the deployed function the trigger of the classifier's file, and store its mode; no model is deployed.

    Returns:
        Whether it was another mode; False also if nothing is deployed, or the function is gone: then the tasks that
        deploy create both.

    Raises:
        FunctionError: another notification of the bucket overlaps with ours, or S3 refuses ours.
        ResourceBusyError: other writers keep changing the bucket's notifications.
        StorageError: S3 refuses the request.

    """
    deployed = deployment_before(s3, bucket=wanted.bucket, classifier=wanted.classifier)
    if deployed is None or deployed.trigger_mode == wanted.mode:
        return False
    name = function_name(wanted.classifier)
    if described(lambda: functions.get_alias(FunctionName=name, Name=ALIAS)) is None:
        return False
    as_deployed = wanted.model_copy(update={"instance_count": deployed.instance_count})
    set_trigger(functions, s3, sqs, wanted=as_deployed, alias_arn=deployed.alias_arn)
    changed = deployed.model_copy(update={"trigger_mode": wanted.mode})
    write_deployment(s3, resumed(changed, deployed, now=datetime.now(UTC)))
    return True
