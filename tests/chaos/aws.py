"""Reads from the local AWS which calls were made, which resources exist, and which are billed."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3

from image_classifier.aws.names import TAG

IN_PROGRESS = ("InProgress", "Stopping")


class Aws:
    """The local AWS as its root user sees it."""

    def __init__(self, ready: dict[str, Any], *, key: dict[str, str], calls_log: Path) -> None:
        self.bucket: str = ready["settings"]["IMAGE_CLASSIFIER_BUCKET"]
        self.settings: dict[str, str] = ready["settings"]
        self.region: str = ready["region"]
        self._calls_log = calls_log
        session = boto3.Session(
            aws_access_key_id=key["access_key"],
            aws_secret_access_key=key["secret"],
            region_name=ready["region"],
        )
        for service in ("s3", "sqs", "lambda", "logs"):
            setattr(self, service, session.client(service, endpoint_url=ready["endpoint_url"]))
        for service in ("sagemaker", "sagemaker-runtime"):
            client = session.client(service, endpoint_url=ready["sagemaker_endpoint_url"])
            setattr(self, service.replace("-", "_"), client)

    def calls(self, operation: str, name: str) -> int:
        """How often an operation was accepted for a resource whose name begins so."""
        said = re.compile(rf" {operation} accepted: {re.escape(name)}")
        return len(said.findall(self._calls_log.read_text()))

    def jobs(self, name: str) -> list[dict[str, Any]]:
        """Every training job whose name begins so, oldest first."""
        pages = self.sagemaker.get_paginator("list_training_jobs").paginate(NameContains=name, SortOrder="Ascending")
        found = [job["TrainingJobName"] for page in pages for job in page["TrainingJobSummaries"]]
        return [self.sagemaker.describe_training_job(TrainingJobName=job) for job in found if job.startswith(name)]

    def running(self, name: str) -> list[str]:
        """Names of the jobs that cost money at this moment."""
        return [job["TrainingJobName"] for job in self.jobs(name) if job["TrainingJobStatus"] in IN_PROGRESS]

    def stop_all(self, name: str) -> None:
        """Leave nothing running of a scenario that has ended."""
        for job in self.jobs(name):
            if job["TrainingJobStatus"] == "InProgress":
                self.sagemaker.stop_training_job(TrainingJobName=job["TrainingJobName"])

    def billable(self, classifier: str) -> list[str]:
        """Every SageMaker and Lambda resource that carries the classifier's tag; of jobs those that run."""
        return sorted(self._billable(classifier))

    def _billable(self, classifier: str) -> Iterator[str]:
        kinds = {
            "endpoints": ("Endpoints", "EndpointName", "EndpointArn"),
            "endpoint_configs": ("EndpointConfigs", "EndpointConfigName", "EndpointConfigArn"),
            "models": ("Models", "ModelName", "ModelArn"),
            "training_jobs": ("TrainingJobSummaries", "TrainingJobName", "TrainingJobArn"),
        }
        for kind, (key, name, arn) in kinds.items():
            for page in self.sagemaker.get_paginator(f"list_{kind}").paginate():
                for found in page[key]:
                    tags = self.sagemaker.list_tags(ResourceArn=found[arn])["Tags"]
                    costs = kind != "training_jobs" or found["TrainingJobStatus"] in IN_PROGRESS
                    if costs and {"Key": TAG, "Value": classifier} in tags:
                        yield f"{kind}: {found[name]}"
        for page in getattr(self, "lambda").get_paginator("list_functions").paginate():
            for function in page["Functions"]:
                tags = getattr(self, "lambda").list_tags(Resource=function["FunctionArn"])["Tags"]
                if tags.get(TAG) == classifier:
                    yield f"functions: {function['FunctionName']}"
