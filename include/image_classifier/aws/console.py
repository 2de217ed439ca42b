"""Computes the address of a resource's page in AWS's console, or in the console at IMAGE_CLASSIFIER_CONSOLE_URL.

Every function takes the `meta` of a client, which has the region and the partition. It returns None for partitions
whose console has no known address.
"""

from typing import Protocol
from urllib.parse import quote

from image_classifier.aws.settings import console_url_from_env

# A partition -> its console; airflow.providers.amazon.aws.links.base_aws has the same three.
CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}


class Meta(Protocol):
    """The part of a boto3 client's `meta` that is used here."""

    @property
    def region_name(self) -> str: ...
    @property
    def partition(self) -> str: ...


def training_job(sagemaker: Meta, name: str) -> str | None:
    """Return the address of a training job's page: status, hyperparameters, metrics."""
    return _sagemaker(sagemaker, name, page="training-jobs", console="jobs")


def tuning_job(sagemaker: Meta, name: str) -> str | None:
    """Return the address of a tuning job's page: its training jobs and their metrics."""
    return _sagemaker(sagemaker, name, page="hyper-tuning-jobs", console="hyper-tuning-jobs")


def transform_job(sagemaker: Meta, name: str) -> str | None:
    """Return the address of a batch transform job's page."""
    return _sagemaker(sagemaker, name, page="transform-jobs", console="transform-jobs")


def processing_job(sagemaker: Meta, name: str) -> str | None:
    """Return the address of a processing job's page."""
    return _sagemaker(sagemaker, name, page="processing-jobs", console="processing-jobs")


def model(sagemaker: Meta, name: str) -> str | None:
    """Return the address of a model's page."""
    return _sagemaker(sagemaker, name, page="models", console="models")


def endpoint_config(sagemaker: Meta, name: str) -> str | None:
    """Return the address of an endpoint config's page."""
    return _sagemaker(sagemaker, name, page="endpoint-configs", console="endpointConfig")


def endpoint(sagemaker: Meta, name: str) -> str | None:
    """Return the address of an endpoint's page."""
    return _sagemaker(sagemaker, name, page="endpoints", console="endpoints")


def function(functions: Meta, name: str) -> str | None:
    """Return the address of a Lambda function's page."""
    console = f"lambda/home?region={functions.region_name}#/functions/{name}"
    return _page(functions, f"functions/{name}", console=console)


def logs(logs: Meta, group: str, *, streams: str = "") -> str | None:
    """Return the address of a log group's page, or of its streams whose names begin with `streams`."""
    console_filter = f"$3FlogStreamNameFilter$3D{_in_fragment(streams)}" if streams else ""
    console = f"cloudwatch/home?region={logs.region_name}#logsV2:log-groups/log-group/{_in_fragment(group)}"
    query = f"?streams={quote(streams, safe='')}" if streams else ""
    return _page(logs, f"logs/{quote(group.strip('/'))}{query}", console=console + console_filter)


def objects(s3: Meta, bucket: str, *, prefix: str) -> str | None:
    """Return the address of the page that lists a bucket's objects below a prefix."""
    console = f"s3/buckets/{bucket}?region={s3.region_name}&prefix={quote(prefix)}"
    return _page(s3, f"buckets/{bucket}/{quote(prefix)}", console=console)


def _sagemaker(meta: Meta, name: str, *, page: str, console: str) -> str | None:
    return _page(meta, f"{page}/{name}", console=f"sagemaker/home?region={meta.region_name}#/{console}/{name}")


def _page(meta: Meta, path: str, *, console: str) -> str | None:
    if base_url := console_url_from_env():
        return f"{base_url}/{path}"
    host = CONSOLES.get(meta.partition)
    return f"https://{host}/{console}" if host else None


def _in_fragment(text: str) -> str:
    """Encode a name twice, with $ for %, as CloudWatch's console expects it behind the #."""
    return quote(quote(text, safe=""), safe="").replace("%", "$")
