"""Checks a CreateTransformJob request, and makes the document of its job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_aws.sagemaker.protocol.errors import validation_error
from local_aws.sagemaker.transform.kind import TRANSFORM_JOB

if TYPE_CHECKING:
    from local_aws.sagemaker.documents import Document
    from local_aws.sagemaker.protocol.errors import ServiceError

# Limits of the API reference's text that botocore's model does not have.
MAX_PAYLOAD_MB = 100
MAX_INSTANCES = 100
DEFAULT_PAYLOAD_MB = 6
DATA_TYPES = ("ManifestFile", "S3Prefix")
SPLIT_TYPES = ("None", "Line")
# Of "Associate Prediction Results with Input Records" in the developer guide.
JOINABLE_TYPES = ("text/csv", "application/json", "application/jsonlines")
NO_DATA_PROCESSING = {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}


def check(request: Document) -> None:
    """Refuse what AWS refuses, and what only AWS can do.

    Raises:
        ServiceError: names the member and what was found.

    """
    if "DataCaptureConfig" in request:
        raise _unsupported("DataCaptureConfig")
    instances = request["TransformResources"]["InstanceCount"]
    if instances > MAX_INSTANCES:
        raise validation_error(f"InstanceCount must be at most {MAX_INSTANCES}; found {instances}.")
    _check_payload(request)
    _check_input(request["TransformInput"])
    _check_data_processing(request)


def check_image(request: Document, *, built_in: bool) -> None:
    """Refuse what the built-in algorithms cannot do.

    Raises:
        ServiceError: names the member and what was found.

    """
    if built_in and request.get("MaxPayloadInMB") == 0:
        raise validation_error(
            "MaxPayloadInMB 0 sends requests with HTTP chunked encoding, which built-in algorithms do not support."
        )


def new_job(request: Document, *, arn: str, now: float) -> Document:
    """Return the first document of the job, as DescribeTransformJob shows it."""
    job = {key: value for key, value in request.items() if key != "Tags"}
    job["TransformInput"] = {"CompressionType": "None", "SplitType": "None"} | request["TransformInput"]
    job["TransformOutput"] = {"AssembleWith": "None"} | request["TransformOutput"]
    job["DataProcessing"] = NO_DATA_PROCESSING | request.get("DataProcessing", {})
    job |= {"TransformJobArn": arn, "CreationTime": now}
    TRANSFORM_JOB.enter(job, "InProgress", now=now)
    return job


def _check_payload(request: Document) -> None:
    payload_mb = request.get("MaxPayloadInMB", DEFAULT_PAYLOAD_MB)
    if payload_mb > MAX_PAYLOAD_MB:
        raise validation_error(f"MaxPayloadInMB must be at most {MAX_PAYLOAD_MB}; found {payload_mb}.")
    total_mb = payload_mb * request.get("MaxConcurrentTransforms", 0)
    if total_mb > MAX_PAYLOAD_MB:
        raise validation_error(
            f"MaxConcurrentTransforms * MaxPayloadInMB must be at most {MAX_PAYLOAD_MB}; found "
            f"{request['MaxConcurrentTransforms']} * {payload_mb} = {total_mb}."
        )


def _check_input(source: Document) -> None:
    data_type = source["DataSource"]["S3DataSource"]["S3DataType"]
    if data_type not in DATA_TYPES:
        raise validation_error(
            f"S3DataType {data_type} is not supported for transform jobs; use {' or '.join(DATA_TYPES)}."
        )
    split_type = source.get("SplitType", "None")
    if split_type not in SPLIT_TYPES:
        raise _unsupported(f"SplitType {split_type}")


def _check_data_processing(request: Document) -> None:
    given = NO_DATA_PROCESSING | request.get("DataProcessing", {})
    if given == NO_DATA_PROCESSING:
        return
    content_type = request["TransformInput"].get("ContentType", "").partition(";")[0].strip()
    if content_type not in JOINABLE_TYPES:
        raise validation_error(
            f"DataProcessing is not supported for ContentType {content_type or 'None'}; it needs one of: "
            f"{', '.join(JOINABLE_TYPES)}."
        )
    raise _unsupported(f"DataProcessing of {content_type}")


def _unsupported(what: str) -> ServiceError:
    return validation_error(f"This local SageMaker does not have {what}; AWS does.")
