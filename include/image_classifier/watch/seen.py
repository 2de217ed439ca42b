"""Stores the watch Dag's last findings as a JSON object in S3, which the pages show instead of calling SageMaker."""

import json
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from image_classifier.aws import s3 as storage
from image_classifier.aws.client_errors import described
from image_classifier.aws.clients import Clients
from image_classifier.aws.names import Keys, endpoint_name, model_package_group_name
from image_classifier.contracts.errors import StorageError
from image_classifier.deploy.endpoint import describe_endpoint
from image_classifier.promote.registry import versions
from image_classifier.watch.state import WatchState

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_sagemaker import SageMakerClient


class SeenVersion(BaseModel):
    """A registered model; ``approval`` is Approved, Rejected or PendingManualApproval."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    number: int
    training_job: str
    approval: str


class Seen(BaseModel):
    """The state of one classifier in one run of the watch Dag.

    Attributes:
        at: time of the run.
        endpoint_status: SageMaker's EndpointStatus; None if there is no endpoint.
        findings: the open findings at the end of the run: a sentence for people, by name.
        without_record: images below incoming/ that were replayed and have no record yet.
        last_pass: the end of the last full pass; None if there was none.
        versions: the models of the registry, the newest first.

    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    at: datetime
    endpoint_status: str | None = None
    findings: dict[str, str] = Field(default_factory=dict)
    without_record: int = 0
    last_pass: datetime | None = None
    versions: tuple[SeenVersion, ...] = ()


def keep_seen(
    clients: Clients, state: WatchState, *, bucket: str, classifier: str, findings: dict[str, str], now: datetime
) -> None:
    """Read the endpoint and the registered models from SageMaker, and store them with the findings."""
    endpoint = describe_endpoint(clients.sagemaker, endpoint_name(classifier))
    seen = Seen(
        at=now,
        endpoint_status=endpoint["EndpointStatus"] if endpoint else None,
        findings=findings,
        without_record=len(state.replayed),
        last_pass=state.last_pass,
        versions=_versions(clients.sagemaker, classifier),
    )
    key = Keys(classifier).watch_seen
    body = seen.model_dump_json(indent=1).encode()
    storage.write(clients.s3, bucket=bucket, key=key, body=body, content_type="application/json")


def read_seen(s3: "S3Client", *, bucket: str, classifier: str) -> Seen | None:
    """Return the last stored state; None if no run of the watch Dag has stored one.

    Raises:
        StorageError: S3 refuses the request, or the object is not valid.

    """
    key = Keys(classifier).watch_seen
    found = storage.read(s3, bucket=bucket, key=key)
    if found is None:
        return None
    try:
        return Seen.model_validate(json.loads(found[0]))
    except (ValueError, ValidationError) as error:
        message = f"s3://{bucket}/{key} is not what the watch Dag wrote ({error}); its next run writes it again."
        raise StorageError(message) from error


def _versions(sagemaker: "SageMakerClient", classifier: str) -> tuple[SeenVersion, ...]:
    group = model_package_group_name(classifier)
    if described(lambda: sagemaker.describe_model_package_group(ModelPackageGroupName=group)) is None:
        return ()
    return tuple(
        SeenVersion(number=one.number, training_job=one.training_job, approval=one.approval)
        for one in versions(sagemaker, group=group)
    )
