"""Finds what costs without a use: training jobs whose task is over, and endpoints without a classifier file."""

import logging
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Literal

from image_classifier.aws.client_errors import described
from image_classifier.aws.names import PREFIX, TAG, endpoint_name
from image_classifier.contracts.errors import UnwantedEndpointError
from image_classifier.train import owners, training_jobs

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient

log = logging.getLogger(__name__)

Judgement = Literal["wanted", "over", "unknown"]
Judge = Callable[[owners.Owner], Judgement]


def stop_orphaned_jobs(sagemaker: "SageMakerClient", *, bucket: str, judge: Judge) -> list[str]:
    """Stop the jobs of this bucket whose task no longer waits for them; return their names.

    A job whose task Airflow does not know may belong to another Airflow: it is logged and left to its time limit.
    """
    return [
        job["TrainingJobName"]
        for job in _jobs_in_progress(sagemaker, bucket=bucket)
        if _is_orphaned(sagemaker, job, judge=judge)
        and training_jobs.stop_orphaned_job(sagemaker, job["TrainingJobName"], why="its task is over")
    ]


def check_endpoints_wanted(sagemaker: "SageMakerClient", *, bucket: str, classifiers: Collection[str]) -> None:
    """Check that every endpoint that serves a model of this bucket belongs to a classifier file.

    Raises:
        UnwantedEndpointError: an endpoint has no classifier file; names each and its creation time.

    """
    wanted = {endpoint_name(classifier) for classifier in classifiers}
    pages = sagemaker.get_paginator("list_endpoints").paginate(NameContains=PREFIX)
    unwanted = [
        f"{endpoint['EndpointName']} (since {endpoint['CreationTime']:%Y-%m-%d %H:%M} UTC)"
        for page in pages
        for endpoint in page["Endpoints"]
        if endpoint["EndpointName"].startswith(PREFIX)
        and endpoint["EndpointName"] not in wanted
        and _serves_from(sagemaker, endpoint, bucket=bucket)
    ]
    if unwanted:
        message = (
            f"No classifier's file wants these endpoints, and they cost as long as they exist: {', '.join(unwanted)}. "
            "Delete them with the Dag image_classifier_teardown, or put the classifier's file back."
        )
        raise UnwantedEndpointError(message)


def _jobs_in_progress(sagemaker: "SageMakerClient", *, bucket: str) -> list[Mapping[str, Any]]:
    pages = sagemaker.get_paginator("list_training_jobs").paginate(NameContains=PREFIX, StatusEquals="InProgress")
    names = [job["TrainingJobName"] for page in pages for job in page["TrainingJobSummaries"]]
    found = [training_jobs.describe_training_job(sagemaker, name) for name in names if name.startswith(PREFIX)]
    return [job for job in found if job and job["OutputDataConfig"]["S3OutputPath"].startswith(f"s3://{bucket}/")]


def _is_orphaned(sagemaker: "SageMakerClient", job: Mapping[str, Any], *, judge: Judge) -> bool:
    name, owner = job["TrainingJobName"], owners.owner_of(owners.tags_of(sagemaker, job))
    if owner is None:
        log.warning("Training job %s runs, and its tags name no task: nothing is done about it", name)
        return False
    judgement = judge(owner)
    if judgement == "unknown":
        log.warning("Training job %s runs for %s, which this Airflow does not know: it is left alone", name, owner)
    else:
        log.info("Training job %s runs for %s, which is %s", name, owner, judgement)
    return judgement == "over"


def _serves_from(sagemaker: "SageMakerClient", endpoint: Mapping[str, Any], *, bucket: str) -> bool:
    """Whether the endpoint is of this deployment: others in the account have endpoints, and files, of their own."""
    pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=endpoint["EndpointArn"])
    if not any(tag["Key"] == TAG for page in pages for tag in page["Tags"]):
        return False
    found = described(lambda: sagemaker.describe_endpoint(EndpointName=endpoint["EndpointName"]))
    if found is None or "EndpointConfigName" not in found:
        return False
    config_name = found["EndpointConfigName"]
    config = described(lambda: sagemaker.describe_endpoint_config(EndpointConfigName=config_name))
    models = [variant["ModelName"] for variant in config["ProductionVariants"]] if config else []
    return any(_is_from(sagemaker, model, bucket=bucket) for model in models)


def _is_from(sagemaker: "SageMakerClient", model_name: str, *, bucket: str) -> bool:
    model = described(lambda: sagemaker.describe_model(ModelName=model_name))
    containers = [model["PrimaryContainer"]] if model and "PrimaryContainer" in model else []
    return any(container.get("ModelDataUrl", "").startswith(f"s3://{bucket}/") for container in containers)
