"""Records by tags on a job which Airflow task waits for it; tags remain when a worker is lost."""

import logging
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote

from botocore.exceptions import ClientError

from image_classifier.aws.names import DAG_TAG, RUN_TAG, STOPPED_TAG, TASK_TAG

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient
    from types_boto3_sagemaker.type_defs import TagTypeDef

log = logging.getLogger(__name__)

MOST_CHARACTERS = 256  # AWS's limit of a tag's value, in characters
_SAFE = (
    " _.:/+-@"  # AWS allows these beside letters and digits in a value, and "=", which replaces the "%" of URL encoding
)


class Owner(NamedTuple):
    """A task of a run, by the names of Airflow's task states."""

    dag_id: str
    run_id: str
    task: str

    def __str__(self) -> str:
        """Return the task, its run and its Dag, for a log line."""
        return f"task {self.task} of run {self.run_id} of {self.dag_id}"

    def tags(self) -> "list[TagTypeDef]":
        """Return the tags of a job that this task waits for."""
        values = {DAG_TAG: self.dag_id, RUN_TAG: self.run_id, TASK_TAG: self.task}
        return [{"Key": key, "Value": _encoded(value)} for key, value in values.items()]


def owner_of(tags: Mapping[str, str]) -> Owner | None:
    """Return the task that owns the job with these tags, or None if the job has no owner."""
    values = [unquote(tags[key].replace("=", "%")) for key in (DAG_TAG, RUN_TAG, TASK_TAG) if tags.get(key)]
    return Owner(*values) if len(values) == 3 else None


def with_owner(request: Mapping[str, Any], owner: Owner) -> dict[str, Any]:
    """Return a request that creates a job, with the owner's tags, which the job then has from its creation."""
    return {**request, "Tags": [*request.get("Tags", []), *owner.tags()]}


def set_owner(sagemaker: "SageMakerClient", job: Mapping[str, Any], *, owner: Owner) -> None:
    """Make this task the owner, so that the job is not stopped because its earlier owner ended."""
    set_owner_of_arn(sagemaker, job["TrainingJobArn"], owner=owner)


def set_owner_of_arn(sagemaker: "SageMakerClient", arn: str, *, owner: Owner) -> None:
    """Make this task the owner of the job with this ARN."""
    sagemaker.add_tags(ResourceArn=arn, Tags=owner.tags())


def tags_of(sagemaker: "SageMakerClient", job: Mapping[str, Any]) -> dict[str, str]:
    """Return the tags of a training job."""
    return tags_of_arn(sagemaker, job["TrainingJobArn"])


def tags_of_arn(sagemaker: "SageMakerClient", arn: str) -> dict[str, str]:
    """Return the tags of the job with this ARN."""
    pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}


def stop_note(why: str) -> "list[TagTypeDef]":
    """Return the tag of a job that is stopped because no task waits for it; a person's stop has no such tag."""
    return [{"Key": STOPPED_TAG, "Value": re.sub(r"[^\w .:/=+\-@]", " ", why)[:MOST_CHARACTERS]}]


def note_stop(sagemaker: "SageMakerClient", arn: str, *, why: str) -> None:
    """Tag a job that is stopped because no task waits for it; a missing permission does not prevent the stop."""
    try:  # before the stop, so that a waiting task finds the tag as soon as the job has ended
        sagemaker.add_tags(ResourceArn=arn, Tags=stop_note(why))
    except ClientError as error:
        log.warning("%s cannot be tagged, and is stopped without: %s", arn, error)


def stopped_as_orphan(tags: Mapping[str, str]) -> bool:
    """Return whether the job with these tags was stopped because no task was waiting for it."""
    return STOPPED_TAG in tags


def _encoded(value: str) -> str:
    """Return a value that AWS accepts; a too long run id is cut, and then matches no run."""
    return quote(value, safe=_SAFE).replace("~", "%7E").replace("%", "=")[:MOST_CHARACTERS]
