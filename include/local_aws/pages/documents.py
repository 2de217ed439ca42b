"""Makes the content of each page: every function calls the API, as any client does, and returns HTML."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Any
from urllib.parse import quote

from botocore.client import BaseClient

from local_aws import clients
from local_aws.pages.markup import document, facts, lines, link, rows, section

PREFIX = "/_console"  # no bucket can have this name
OBJECTS = f"{PREFIX}/objects"
TRAINING_LOG = "/aws/sagemaker/TrainingJobs"
TRANSFORM_LOG = "/aws/sagemaker/TransformJobs"
PROCESSING_LOG = "/aws/sagemaker/ProcessingJobs"
MOST_STREAMS = 20
MOST_ROWS = 100
MOST_LINES = 500  # of each stream, the newest


@dataclass(frozen=True)
class Aws:
    """The endpoints of SageMaker and of every other service."""

    endpoint_url: str
    sagemaker_endpoint_url: str

    def client(self, service: str) -> BaseClient:
        """Return a client of one service."""
        return _client(service, self.sagemaker_endpoint_url if service == "sagemaker" else self.endpoint_url)


def training_job(aws: Aws, name: str) -> str:
    """Return the page of a training job: its progress, its request, and the end of its log."""
    job = _answer(aws.client("sagemaker").describe_training_job(TrainingJobName=name))
    hyperparameters = job.pop("HyperParameters", {})
    return document(
        f"Training job {name}",
        f"<p>{escape(job['TrainingJobStatus'])}, {escape(job['SecondaryStatus'])}</p>",
        section("Hyperparameters", facts(hyperparameters)),
        section("The job", facts(job)),
        section("Log", _streams(aws, TRAINING_LOG, prefix=f"{name}/")),
    )


def transform_job(aws: Aws, name: str) -> str:
    """Return the page of a transform job: its progress, its model, its request, and the end of its logs."""
    job = _answer(aws.client("sagemaker").describe_transform_job(TransformJobName=name))
    model_name = job["ModelName"]
    return document(
        f"Transform job {name}",
        f"<p>{escape(job['TransformJobStatus'])}, with {link(f'../models/{quote(model_name)}', model_name)}</p>",
        section("The job", facts(job)),
        section("Log", _streams(aws, TRANSFORM_LOG, prefix=f"{name}/")),
    )


def processing_job(aws: Aws, name: str) -> str:
    """Return the page of a processing job: its progress, its request, and the end of its logs."""
    job = _answer(aws.client("sagemaker").describe_processing_job(ProcessingJobName=name))
    return document(
        f"Processing job {name}",
        f"<p>{escape(job['ProcessingJobStatus'])}</p>",
        section("The job", facts(job)),
        section("Log", _streams(aws, PROCESSING_LOG, prefix=f"{name}/")),
    )


def tuning_job(aws: Aws, name: str) -> str:
    """Return the page of a tuning job: its progress, its training jobs with their objectives, and its request."""
    sagemaker = aws.client("sagemaker")
    job = _answer(sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name))
    found = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name, MaxResults=MOST_ROWS
    )
    listed = [
        (
            link(f"../training-jobs/{quote(item['TrainingJobName'])}", item["TrainingJobName"]),
            escape(item["TrainingJobStatus"]),
            escape(str(item.get("FinalHyperParameterTuningJobObjectiveMetric", {}).get("Value", ""))),
            facts(item["TunedHyperParameters"]),
        )
        for item in found["TrainingJobSummaries"]
    ]
    table = rows(("Training job", "Status", "Objective", "Hyperparameters"), listed)
    return document(
        f"Tuning job {name}",
        f"<p>{escape(job['HyperParameterTuningJobStatus'])} {escape(job.get('FailureReason', ''))}</p>",
        section("Training jobs", table),
        section("The job", facts(job)),
    )


def model(aws: Aws, name: str) -> str:
    """Return the page of a model."""
    return document(f"Model {name}", facts(_answer(aws.client("sagemaker").describe_model(ModelName=name))))


def endpoint_config(aws: Aws, name: str) -> str:
    """Return the page of an endpoint config and its models."""
    config = _answer(aws.client("sagemaker").describe_endpoint_config(EndpointConfigName=name))
    models = [variant["ModelName"] for variant in config["ProductionVariants"]]
    listed = " ".join(link(f"../models/{quote(model)}", model) for model in models)
    return document(f"Endpoint config {name}", facts(config), section("Models", listed))


def endpoint(aws: Aws, name: str) -> str:
    """Return the page of an endpoint: its status, its config, and the end of its log."""
    found = _answer(aws.client("sagemaker").describe_endpoint(EndpointName=name))
    config = found["EndpointConfigName"]
    return document(
        f"Endpoint {name}",
        f"<p>{escape(found['EndpointStatus'])}, with {link(f'../endpoint-configs/{quote(config)}', config)}</p>",
        facts(found),
        section("Log", _streams(aws, f"/aws/sagemaker/Endpoints/{name}", prefix="")),
    )


def model_package_group(aws: Aws, name: str) -> str:
    """Return the page of a model package group and its newest versions."""
    sagemaker = aws.client("sagemaker")
    group = _answer(sagemaker.describe_model_package_group(ModelPackageGroupName=name))
    found = sagemaker.list_model_packages(ModelPackageGroupName=name, SortOrder="Descending", MaxResults=MOST_ROWS)
    versions = [
        (
            link(
                f"../model-packages/{quote(name)}/{item['ModelPackageVersion']}",
                f"Version {item['ModelPackageVersion']}",
            ),
            escape(item["ModelApprovalStatus"]),
            f"{item['CreationTime']:%Y-%m-%d %H:%M:%S}",
        )
        for item in found["ModelPackageSummaryList"]
    ]
    more = f"<p>There are more; these are the newest {MOST_ROWS}.</p>" if "NextToken" in found else ""
    listed = rows(("Version", "Approval", "Created"), versions) + more
    return document(f"Model package group {name}", facts(group), section("Versions", listed))


def model_package(aws: Aws, name: str) -> str:
    """Return the page of a version of a model package group, by ``group/number``."""
    arn = f"arn:aws:sagemaker:{clients.REGION}:{clients.ACCOUNT}:model-package/{name}"
    version = _answer(aws.client("sagemaker").describe_model_package(ModelPackageName=arn))
    return document(
        f"Model package {name}",
        f"<p>{escape(version['ModelApprovalStatus'])} {escape(version.get('ApprovalDescription', ''))}</p>",
        section("Metadata", facts(version.pop("CustomerMetadataProperties", {}))),
        section("The version", facts(version)),
    )


def function(aws: Aws, name: str) -> str:
    """Return the page of a function: its configuration, its aliases, and the end of its log."""
    functions = aws.client("lambda")
    found = _answer(functions.get_function(FunctionName=name))
    aliases = functions.list_aliases(FunctionName=name)["Aliases"]
    return document(
        f"Function {name}",
        section("Aliases", facts({alias["Name"]: f"version {alias['FunctionVersion']}" for alias in aliases})),
        section("Configuration", facts(found["Configuration"])),
        section("Log", _streams(aws, f"/aws/lambda/{name}", prefix="")),
    )


def log_group(aws: Aws, group: str, *, streams: str) -> str:
    """Return the page of the newest streams of a log group whose names begin with `streams`."""
    return document(f"Log group {group}", _streams(aws, group, prefix=streams))


def objects(aws: Aws, bucket: str, *, prefix: str) -> str:
    """Return the page of the first 1,000 objects below a prefix, each with a link to its content."""
    answer = aws.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
    found = answer.get("Contents", [])
    listed = [
        (
            link(f"{OBJECTS}/{bucket}/{quote(item['Key'])}", item["Key"]),
            f"{item['Size']:,}",
            f"{item['LastModified']:%Y-%m-%d %H:%M:%S}",
        )
        for item in found
    ]
    more = "<p>There are more; these are the first.</p>" if answer["IsTruncated"] else ""
    count = f"<p>{len(found):,} object{'' if len(found) == 1 else 's'}</p>{more}"
    return document(f"s3://{bucket}/{prefix}", count, rows(("Key", "Bytes", "Last modified"), listed))


@cache
def _client(service: str, endpoint_url: str) -> BaseClient:
    return clients.client(service, endpoint_url=endpoint_url)  # takes 50 ms or more


def _answer(response: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in response.items() if name != "ResponseMetadata"}


def _streams(aws: Aws, group: str, *, prefix: str) -> str:
    logs = aws.client("logs")
    named = {"logStreamNamePrefix": prefix} if prefix else {}
    try:
        found = [
            stream["logStreamName"]
            for page in logs.get_paginator("describe_log_streams").paginate(logGroupName=group, **named)
            for stream in page["logStreams"]
        ]
    except clients.ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        found = []
    if not found:
        return "<p>Nothing has been written yet.</p>"
    newest = sorted(found, reverse=True)[:MOST_STREAMS]
    older = f"<p>{len(found) - len(newest):,} more streams</p>" if len(found) > len(newest) else ""
    return "".join(section(name, lines(_newest_lines(logs, group, name))) for name in newest) + older


def _newest_lines(logs: BaseClient, group: str, stream: str) -> list[str]:
    events = logs.get_log_events(logGroupName=group, logStreamName=stream, limit=MOST_LINES, startFromHead=False)
    return [event["message"].rstrip("\n") for event in events["events"]]
